/** One file to the API, telling how much of it was sent, which fetch cannot. */
import { shared } from "./client";
import { problemOf, Unreachable } from "./problem";

/** Raises Problem, or Unreachable. */
export function upload<T>(path: string, field: string, file: File, progress: (sent: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open("POST", `/v1${path}`);
    sending.setRequestHeader("Accept", "application/json");
    sending.setRequestHeader("X-CSRF-Token", shared.csrfToken());
    sending.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    sending.onerror = () => reject(new Unreachable());
    sending.onload = () => {
      if (sending.status >= 200 && sending.status < 300) return resolve(JSON.parse(sending.responseText) as T);
      if (sending.status === 401) shared.signedOut();
      const answered = new Response(sending.responseText || "{}", { status: Math.max(200, sending.status), statusText: sending.statusText });
      void problemOf(answered).then(reject);
    };
    const form = new FormData();
    form.append(field, file);
    sending.send(form);
  });
}
