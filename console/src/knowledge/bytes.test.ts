import { expect, test } from "vitest";
import i18n from "@/i18n";
import { bytesText } from "./bytes";

test.each([
  [1, "1 octets", "1 bytes"],
  [999, "999 octets", "999 bytes"],
  [1000, "1 ko", "1 kB"],
  [999_499, "999 ko", "999 kB"],
  [999_500, "1 Mo", "1 MB"],
  [1_450_000, "1,5 Mo", "1.5 MB"],
  [52_428_800, "52,4 Mo", "52.4 MB"],
])("%i bytes", async (bytes, french, english) => {
  await i18n.changeLanguage("fr");
  expect(bytesText(i18n.t, bytes).replace("\u00a0", " ")).toBe(french);
  await i18n.changeLanguage("en");
  expect(bytesText(i18n.t, bytes).replace("\u00a0", " ")).toBe(english);
});
