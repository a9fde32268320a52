/** The answer to a file, with the destinations that the unsaved action has already counted as duplicates. */
import type { Destination } from "@/agent/schema";
import type { ImportRow, NumberImport } from "@/api/types";

export interface Imported {
  rows: (ImportRow & { known: boolean })[];
  destinations: Destination[];
  accepted: number;
  duplicate: number;
  refused: number;
}

export function withKnown(answer: NumberImport, known: readonly Destination[]): Imported {
  const taken = new Set(known.map((item) => item.phone ?? item.extension));
  const rows = answer.rows.map((row) =>
    row.outcome === "accepted" && taken.has(row.phone) ? { ...row, outcome: "duplicate" as const, known: true } : { ...row, known: false },
  );
  const count = (outcome: ImportRow["outcome"]) => rows.filter((row) => row.outcome === outcome).length;
  return {
    rows,
    destinations: answer.destinations.filter((item) => !taken.has(item.phone ?? item.extension)),
    accepted: count("accepted"),
    duplicate: count("duplicate"),
    refused: count("refused"),
  };
}
