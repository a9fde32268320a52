/**
 * Why a document could not be read, in the console's language with what to do about it. The server writes its reasons in
 * English; one that is not known here is shown as it came.
 */
import type { Translate } from "@/i18n";

const KNOWN: readonly [RegExp, string][] = [
  [/^The file is empty\./, "empty"],
  [/^The (?:document|PDF) holds no text\./, "noText"],
  [/^The table has no row below its headings\./, "noRows"],
  [/^The (?:PDF|file) is encrypted\./, "encrypted"],
  [/^The PDF holds pictures of pages/, "scanned"],
  [/^The table cannot be read from line (\d+) on\./, "table"],
  [/^The (?:PDF|file|document) is damaged/, "damaged"],
  [/^The PDF has over (\d+) pages\./, "tooManyPages"],
  [/^The document has [\d,]+ bytes;/, "tooBig"],
  [/^The document holds over ([\d,]+) (?:characters|passages)\./, "tooLong"],
  [/^Reading the document takes more /, "tooHeavy"],
  [/^The document is nested too deep\./, "tooHeavy"],
  [/^The file would unpack to far more/, "unpacks"],
  [/^The file is of an old Office program/, "oldOffice"],
  [/^The file is RTF\./, "rtf"],
  [/^The file is a workbook\./, "workbook"],
  [/^The file is an archive\./, "archive"],
  [/^The file is a picture or a sound\./, "picture"],
  [/^The file is not text, nor a document/, "unknownKind"],
  [/^The text is neither UTF-8 nor Windows-1252\./, "encoding"],
  [/^The original is not in the data directory\./, "originalGone"],
  [/^The site answers (\d+) for this page\./, "siteAnswers"],
  [/ address, which may not be reached\./, "privateAddress"],
  [/^(\S+) (?:has no address|is not a name that exists)\./, "noSuchSite"],
  [/^(?:no (?:secure )?connection to |the name service did not find )(\S+)/, "siteAway"],
  [/^(\S+) (?:did not answer within|closed the connection)/, "siteAway"],
  [/^the service answered (\d+)\./, "siteAnswers"],
  [/^(?:the reply is over|The page is over)/, "pageTooBig"],
  [/^the embedding provider/, "embedding"],
  [/^(?:the index of the data source|the process that indexes|indexing was not done|the file cannot be kept)/, "index"],
];

/** A key of the dictionaries and what to fill in; null when the server's own words have to do. */
export function reasonOf(error: string): { key: string; value: string } | null {
  for (const [pattern, key] of KNOWN) {
    const found = pattern.exec(error);
    if (found) return { key, value: found[1] ?? "" };
  }
  return null;
}

export function reason(t: Translate, error: string): string {
  const found = reasonOf(error);
  return found ? t(`knowledge.reason.${found.key}`, { value: found.value }) : error;
}

/** Where in a document a passage stands: pages, rows and parts are counted, the rest are the document's own headings. */
export function positionText(t: Translate, position: string): string {
  const found = /^(page|row|part) (\d+)$/.exec(position);
  return found ? t(`knowledge.position.${found[1] ?? ""}`, { number: found[2] }) : position;
}
