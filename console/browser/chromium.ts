import { chromium, type Browser } from "playwright-core";

/** Debian's own Chromium, which talks to nobody but the page; `more` are switches of its own. */
export function launch(...more: string[]): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", ...more],
  });
}

/** A microphone that is no device: it beeps, or says what a WAV file holds, over and over. Who may use it is up to the page's context. */
export const microphone = (wav?: string): string[] => ["--use-fake-device-for-media-stream", ...(wav ? [`--use-file-for-fake-audio-capture=${wav}`] : [])];
