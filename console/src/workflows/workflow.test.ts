/** The pure parts: documents and drafts, JSON, steps, places that the server names, explanations. */
import { describe, expect, test } from "vitest";
import { setAt } from "@/form/paths";
import { problemsOf } from "@/form/problems";
import i18n from "@/i18n";
import { en } from "@/i18n/en/index";
import { fr } from "@/i18n/fr/index";
import type { RunStep } from "@/api/types";
import { STEP_TYPES, type Workflow } from "./document";
import { formPath, readStatuses, toDocument, toDraft, type WorkflowDraft } from "./draft";
import { blankStep, freeStepId, idFault, moved, renameStep, secretsNamed, stepsIn } from "./edits";
import { explain } from "./explain";
import { readJson, showJson } from "./json";
import { firstSample, readObject, readSample, sampleFor } from "./sample";
import { workflowForm } from "./schema";
import { fromStarter, STARTERS } from "./starters";
import { variablesOf } from "./variables";

const base = { on_error: "stop" as const };
const NESTED: Workflow = {
  name: "Order",
  trigger: "live_call",
  status: "published",
  kind: "steps",
  description: "",
  input: [{ name: "order", type: "string", description: "Six digits", required: true }],
  steps: [
    {
      ...base,
      id: "find",
      type: "http",
      method: "POST",
      url: "https://shop.example/{{ input.order }}",
      headers: { Authorization: "Bearer {{ secrets.SHOP_KEY }}", "X.Y": "1" },
      query: { page: "1" },
      body: { deep: [1, "2", null, { a: "{{ system.phone }}" }] },
      timeout_seconds: 4,
      retries: 1,
      expected_status: [200, 404],
    },
    {
      ...base,
      id: "known",
      type: "branch",
      branches: [
        {
          variable: "steps.find.status",
          operator: "equals",
          value: 200,
          steps: [
            { ...base, id: "keep", type: "set", values: { count: 5, digits: "5", nothing: null, empty: "", words: "Hello {{ steps.find.body.name }}" } },
            { ...base, id: "gone", type: "return", value: { say: "{{ steps.find.body.day }}" } },
          ],
        },
      ],
      else: [{ ...base, id: "rest", type: "delay", seconds: 2 }],
    },
  ],
  url: null,
  headers: {},
  secret: null,
};
const HOOK: Workflow = { ...NESTED, kind: "webhook", steps: null, url: "https://crm.example/hook", headers: { "X-Line": "{{system.phone}}" }, secret: "********" };

const problems = (draft: WorkflowDraft) => Object.fromEntries(problemsOf(workflowForm, draft).map(({ path, key }) => [path, key]));

describe("a document and its draft", () => {
  test.each([
    ["steps", NESTED],
    ["webhook", HOOK],
  ])("%s: what is loaded is what is saved", (_kind, document) => {
    expect(toDocument(toDraft(document))).toEqual(document);
    expect(problems(toDraft(document))).toEqual({});
  });

  test("another kind and back again loses nothing before it is saved", () => {
    const hook = { ...toDraft(NESTED), kind: "webhook" as const, url: " https://x.example ", secret: "" };
    expect(toDocument(hook)).toMatchObject({ steps: null, url: "https://x.example", secret: null });
    expect(toDocument({ ...hook, kind: "steps" })).toEqual(NESTED);
  });

  test("every kind of new step is a whole one", () => {
    for (const type of STEP_TYPES) {
      const draft = { ...toDraft(NESTED), steps: [blankStep(type, "one")] };
      expect(toDraft(toDocument({ ...draft, steps: draft.steps }))).toHaveProperty("steps.0.type", type);
    }
  });
});

describe("JSON in a text box", () => {
  test.each<[string, unknown, boolean]>([
    ["", null, false],
    ["  ", null, false],
    ["5", 5, false],
    ['"5"', "5", false],
    ["true", true, false],
    ['{"a": [1]}', { a: [1] }, false],
    ["Hello {{ name }}", "Hello {{ name }}", false],
    ["{{ steps.find.body }}", "{{ steps.find.body }}", false],
    ["{% if x %}y{% endif %}", "{% if x %}y{% endif %}", false],
    ['{"a": ', '{"a": ', true],
    ["[1, 2", "[1, 2", true],
  ])("%s", (text, value, broken) => expect(readJson(text)).toEqual({ value, broken }));

  test.each([[5], ["5"], ["true"], ["null"], ["words"], ['"quoted"'], ["{broken"], [" spaced "], ["line\nbreak"], [{ a: "{{ x }}" }], [[1, 2]], [false], ["{{ x }}"]])("%j is shown as a text that reads back as it", (value) =>
    expect(readJson(showJson(value)).value).toEqual(value),
  );
});

describe("what is wrong is found where it is", () => {
  test("in a step inside a branch", () => {
    const at = ["steps", 1, "branches", 0, "steps", 1];
    const broken = setAt(setAt(toDraft(NESTED), [...at, "value"], '{"say": '), [...at, "id"], "find");
    expect(problems(broken)).toEqual({ "steps[1].branches[0].steps[1].value": "errors.json", "steps[1].branches[0].steps[1].id": "errors.duplicateStep" });
  });

  test("bounds, names and codes", () => {
    let draft = toDraft(NESTED);
    draft = setAt(draft, ["steps", 0, "timeout_seconds"], 61);
    draft = setAt(draft, ["steps", 0, "retries"], 6);
    draft = setAt(draft, ["steps", 0, "url"], "");
    draft = setAt(draft, ["steps", 0, "expected_status"], "200, 700");
    draft = setAt(draft, ["steps", 0, "headers"], [{ name: "X A", value: "" }]);
    draft = setAt(draft, ["steps", 0, "query"], [{ name: "a", value: "1" }, { name: "a", value: "2" }]);
    draft = setAt(draft, ["steps", 1, "else", 0, "seconds"], Number.NaN);
    draft = setAt(draft, ["input", 0, "name"], "été");
    expect(problems(draft)).toEqual({
      "input[0].name": "errors.variableName",
      "steps[0].timeout_seconds": "errors.tooBig",
      "steps[0].retries": "errors.tooBig",
      "steps[0].url": "errors.required",
      "steps[0].expected_status": "errors.statuses",
      "steps[0].headers[0].name": "errors.headerName",
      "steps[0].query[1].name": "errors.duplicateRow",
      "steps[1].else[0].seconds": "errors.required",
    });
  });

  test("of a webhook", () => {
    const headers = [{ name: "X-A", value: "" }, { name: "x-a", value: "" }];
    expect(problems({ ...toDraft(HOOK), url: "https://x.example/{{ name }}" })).toEqual({ url: "errors.webhookUrl" });
    expect(problems({ ...toDraft(HOOK), headers })).toEqual({ "headers[1].name": "errors.duplicateHeader" });
  });

  test.each([
    ["document.steps[0].url", "steps[0].url"],
    ["steps[0].headers.Authorization", "steps[0].headers[0].value"],
    ["steps[0].headers.X.Y", "steps[0].headers[1].value"],
    ["steps[0].body.deep[3].a", "steps[0].body"],
    ["steps[0].expected_status[1]", "steps[0].expected_status"],
    ["steps[1].branches[0].steps[0].values.words", "steps[1].branches[0].steps[0].values[4].value"],
    ["steps[1].branches[0].steps[1].value.say", "steps[1].branches[0].steps[1].value"],
    ["steps[1].else[0].seconds", "steps[1].else[0].seconds"],
    ["input[0].name", "input[0].name"],
    ["name", "name"],
  ])("the server's %s is the form's %s", (theirs, ours) => expect(formPath(NESTED, theirs)).toBe(ours));
});

describe("steps", () => {
  test("are found in the order they are written", () => expect([...stepsIn(toDraft(NESTED).steps)].map(({ step }) => step.id)).toEqual(["find", "known", "keep", "gone", "rest"]));

  test("are moved, and stay where they cannot go", () => {
    expect(moved(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"]);
    expect(moved(["a", "b"], 0, -1)).toEqual(["a", "b"]);
    expect(moved(["a", "b"], 1, 2)).toEqual(["a", "b"]);
  });

  test("get an id that is free, also of those inside branches", () => {
    const draft = setAt(toDraft(NESTED), ["steps", 1, "else", 0, "id"], "request");
    expect(freeStepId(draft, "http")).toBe("request_2");
  });

  test("of another id are read by it everywhere, and only they", () => {
    const draft = setAt(toDraft(NESTED), ["steps", 1, "else", 0], { ...blankStep("return", "rest"), value: "{{ steps.finder.body }} {{ steps.find-it }}" });
    const renamed = toDocument(renameStep(draft, ["steps", 0], "find", "order"));
    expect(JSON.stringify(renamed)).not.toContain("steps.find.");
    expect(renamed.steps?.[0]?.id).toBe("order");
    expect(JSON.stringify(renamed)).toContain("{{ steps.order.body.name }}");
    expect(JSON.stringify(renamed)).toContain("{{ steps.finder.body }} {{ steps.find-it }}");
  });

  test("cannot have an id that is none, or another's, which would take over what reads that one", () => {
    const draft = toDraft(NESTED);
    const [first, second] = [...stepsIn(draft.steps)].map(({ step }) => step.id);
    expect(["find (", "c++", "", "1er", "é"].map((id) => idFault(draft, "find", id))).toEqual(Array(5).fill("errors.variableName"));
    expect([idFault(draft, first ?? "", second ?? ""), idFault(draft, first ?? "", first ?? ""), idFault(draft, first ?? "", "order")]).toEqual(["errors.duplicateStep", null, null]);
    expect(renameStep(draft, ["steps", 0], "find (", "order").steps[0]?.id).toBe("order");
  });
});

test("variables: those of the workflow itself, and of the secrets that there are", () => {
  const found = variablesOf(toDraft(NESTED), ["SHOP_KEY"]);
  expect(found.input).toEqual(["input.order"]);
  expect(found.steps).toContain("steps.find.body");
  expect(found.values).toContain("words");
  expect(found.secrets).toEqual(["secrets.SHOP_KEY"]);
  expect(variablesOf({ ...toDraft(NESTED), trigger: "failover" }, []).call).toContain("failover.trigger");
});

test("secrets that are named, in whichever way", () => {
  expect(secretsNamed(toDraft(NESTED))).toEqual(["SHOP_KEY"]);
  expect(secretsNamed({ ...toDraft(HOOK), headers: [{ name: "A", value: "{{ secrets['OTHER'] }}" }] })).toEqual(["OTHER"]);
});

test("codes: a list of them, or nothing", () => {
  expect(readStatuses("200, 404;500")).toEqual([200, 404, 500]);
  expect(readStatuses("")).toEqual([]);
  expect(readStatuses("2xx")).toBeNull();
});

describe("a failure is explained", () => {
  const step = (reply: unknown): RunStep => ({ id: "find", type: "http", started_ms: 0, duration_ms: 1, request: null, reply, error: null });

  test.each([
    [401, "status_refused"],
    [404, "status_missing"],
    [429, "status_busy"],
    [503, "status_broken"],
    [302, "unexpected_status"],
  ])("code %i: %s", (status, mend) => expect(explain({ step: "find", code: "unexpected_status", message: "" }, [step({ status })])).toEqual({ code: "unexpected_status", mend, status }));

  test("a code that nobody knows is told all the same", () => expect(explain({ step: "", code: "brand_new", message: "?" }, [])).toEqual({ code: "other", mend: "other", status: null }));

  test("every code and every way to mend it has words in both languages", () => {
    for (const words of [en.workflows, fr.workflows]) {
      for (const code of Object.keys(words.failure)) if (code !== "unexpected_status") expect(words.mend, code).toHaveProperty(code);
    }
  });
});

describe("sample data", () => {
  test("is what the trigger brings", () => {
    expect(firstSample({ trigger: "failover" }, "fr-FR").context).toHaveProperty("failover.trigger");
    expect(firstSample({ trigger: "post_call" }, "fr-FR").call).toHaveProperty("transcript");
    expect(firstSample({ trigger: "live_call" }, "fr-FR")).toMatchObject({ context: {}, call: {}, language: "fr-FR" });
  });

  test("sends the values that the workflow takes, and no empty ones", () => {
    const sample = { ...firstSample(NESTED, "en-GB"), input: { order: "123", gone: "x" } };
    expect(sampleFor(NESTED, sample).input).toEqual({ order: "123" });
    expect(sampleFor(NESTED, { ...sample, input: { order: "" } }).input).toEqual({});
    const asked = { name: "urgent", type: "boolean" as const, description: "", required: true };
    expect(sampleFor({ input: [asked] }, sample).input).toEqual({ urgent: false });
    expect(sampleFor({ input: [asked] }, { ...sample, input: { urgent: true } }).input).toEqual({ urgent: true });
  });

  test("as JSON is an object, or nothing", () => {
    const was = firstSample(NESTED, "en-GB");
    expect(readSample('{"phone": "+33700000000"}', was)).toEqual({ ...was, phone: "+33700000000" });
    for (const text of ["[]", "5", '"x"', "{", "null"]) expect(readObject(text), text).toBeNull();
    expect(readObject("")).toEqual({});
  });
});

test.each(STARTERS)("the starter %s is one that the form has nothing against", async (starter) => {
  await i18n.changeLanguage("fr");
  expect(problems(toDraft(fromStarter(starter, "Essai", i18n.t)))).toEqual({});
});
