/**
 * The server writes its reasons in English. Those that a person meets every day are said in the console's language; the others
 * are shown as they came.
 */
import type { Translate } from ".";

const KNOWN: readonly [RegExp, string][] = [
  [/^already a destination, which keeps its description$/, "known"],
  [/^the same number as line (\d+), which is kept$/, "sameLine"],
  [/^read as (\+\d+)$/, "readAs"],
  [/^phone: shortened by a spreadsheet/, "shortened"],
  [/^phone: written as a decimal number/, "decimal"],
  [/^phone: empty/, "empty"],
  [/^phone: a formula/, "formula"],
  [/^phone: not only digits/, "notDigits"],
  [/^phone: neither international/, "noCountry"],
  [/^phone: (?:too short|not a number that exists|too long|.*check the digits)/, "noNumber"],
  [/^description: (\d+) characters/, "longDescription"],
  [/is on the active agent (.+)$/, "takenNumber"],
  [/^not a number that exists/, "noNumber"],
  [/^is required$/i, "required"],
  [/^no answer to OPTIONS/, "noOptions"],
  [/^ended by the operator/, "byOperator"],
  [/^ended through the API/, "byOperator"],
  [/^the server is shutting down/, "shutDown"],
  [/^it answered$/, "providerAnswered"],
  [/^it is part of Parlons/, "providerInside"],
  [/^it answered (\d+)\.?$/, "providerFails"],
  [/^it refused the key \((\d+)\)/, "keyRefused"],
  [/^it wants a key \((\d+)\)/, "keyWanted"],
  [/^no answer within ([\d.]+) s/, "noAnswerWithin"],
  [/^no connection\.?$/, "noConnection"],
  [/^its name was not found/, "nameNotFound"],
  [/^no secure connection/, "noSecureConnection"],
  [/^it closed the connection without an answer/, "closedWithoutAnswer"],
  [/^The provider .+ has no key\.$/, "noKey"],
  [/^The provider .+ is not installed\.$/, "notInstalled"],
  [/^The key of .+ is \$\{(\w+)\}, which is not set\.$/, "keyNotSet"],
  [/^Set the environment variable (\w+)\.$/, "setVariable"],
  [/^Set the environment variable (\w+ or \w+)\.$/, "setVariable"],
  [/^Check the environment variable (\w+)\.$/, "checkVariable"],
  [/^(?:Check|Set) the api_key of this provider, or set the environment variable (\w+)\.$/, "checkKey"],
  [/^Run: (.+)$/, "runCommand"],
  [/^Check that the service is up and reachable/, "checkService"],
  [/^Check base_url, and the name service/, "checkName"],
  [/^Check its certificate/, "checkCertificate"],
  [/^the service answered (\d+)\.$/, "serviceAnswered"],
  [/^(\S+) is at an? .+ address, which may not be reached/, "privateAddress"],
  [/^no connection to (\S+?)(?: in [\d.]+ s)?\.$/, "noConnectionTo"],
  [/^no secure connection to (\S+)\.$/, "noSecureConnectionTo"],
  [/^(\S+) did not answer within/, "didNotAnswer"],
  [/^(\S+) closed the connection before/, "closedBefore"],
  [/^Check alert_url in the settings/, "checkAlertUrl"],
  [/^Check that alert_url is the whole address/, "checkAlertUrl"],
  [/^Turn on allow_private_addresses/, "allowPrivate"],
];

export function serverWords(t: Translate, words: string): string {
  for (const [pattern, key] of KNOWN) {
    const found = pattern.exec(words);
    if (found) return t(`server.${key}`, { value: found[1] });
  }
  return words;
}
