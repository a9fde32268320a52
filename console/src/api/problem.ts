/** An error of the API as a problem document (RFC 9457). */

export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  hint?: string;
  errors?: { path: string; message: string }[];
  current_revision?: number;
  your_revision?: number;
  used_by?: { kind: string; id: string; name: string; path: string; live: boolean }[];
}

export class Problem extends Error {
  readonly body: ProblemBody;

  constructor(body: ProblemBody) {
    super(body.detail);
    this.name = "Problem";
    this.body = body;
  }

  get status(): number {
    return this.body.status;
  }

  /** The change was made from a revision that is no longer the current one. */
  get stale(): boolean {
    return this.body.status === 412;
  }

  /** The change is stored, and the running process could not take it in yet. */
  get notLive(): boolean {
    return this.body.type.endsWith("saved-not-live");
  }
}

/** The server could not be reached at all. */
export class Unreachable extends Error {
  constructor() {
    super("unreachable");
    this.name = "Unreachable";
  }
}

export async function problemOf(response: Response): Promise<Problem> {
  const fallback = { type: "about:blank", title: response.statusText, status: response.status, detail: response.statusText };
  try {
    const body: unknown = await response.json();
    return new Problem({ ...fallback, ...(typeof body === "object" ? body : {}), status: response.status });
  } catch {
    return new Problem(fallback);
  }
}
