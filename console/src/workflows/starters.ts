/** Workflows to start from. Their addresses are examples that the person replaces. */
import type { Translate } from "@/i18n";
import type { InputField, Trigger, Workflow, WorkflowStep } from "./document";

export const STARTERS = ["preCall", "liveCall", "failover", "postCall", "blank"] as const;
export type Starter = (typeof STARTERS)[number];

const TRIGGER: Record<Starter, Trigger> = { preCall: "pre_call", liveCall: "live_call", failover: "failover", postCall: "post_call", blank: "live_call" };

export function fromStarter(starter: Starter, name: string, say: Translate): Workflow {
  const document: Workflow = { name, trigger: TRIGGER[starter], status: "draft", kind: "webhook", description: "", input: [], steps: null, url: null, headers: {}, secret: null };
  switch (starter) {
    case "preCall":
      return { ...document, url: "https://example.com/parlons/before-call" };
    case "failover":
      return { ...document, url: "https://example.com/parlons/failover" };
    case "postCall":
      return { ...document, url: "https://example.com/parlons/after-call" };
    case "liveCall":
      return { ...document, kind: "steps", input: [orderNumber(say)], steps: orderSteps(say) };
    case "blank":
      return { ...document, kind: "steps", steps: [] };
  }
}

const orderNumber = (say: Translate): InputField => ({ name: "order_number", type: "string", description: say("workflowStarter.orderNumber"), required: true });

function orderSteps(say: Translate): WorkflowStep[] {
  const base = { on_error: "stop" as const };
  return [
    {
      ...base,
      id: "find",
      type: "http",
      method: "GET",
      url: "https://example.com/orders/{{ input.order_number | url_encode }}",
      headers: {},
      query: {},
      body: null,
      timeout_seconds: 5,
      retries: 1,
      expected_status: [200, 404],
    },
    {
      ...base,
      id: "known",
      type: "branch",
      branches: [{ variable: "steps.find.status", operator: "equals", value: 200, steps: [{ ...base, id: "found", type: "return", value: { result: "{{ steps.find.body }}" } }] }],
      else: [{ ...base, id: "unknown", type: "return", value: { result: say("workflowStarter.noOrder") } }],
    },
  ];
}
