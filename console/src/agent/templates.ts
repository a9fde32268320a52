/** Agents to start from. Their words are in the agent's own language. */
import type { Translate } from "@/i18n";
import { blankAction, blankAgent, blankStep, blankTransition } from "./blank";
import type { Action, Agent, PromptStep } from "./schema";
import { freeId } from "./slug";

export const AGENT_TEMPLATES = ["blank", "frontDesk", "appointment", "afterHours"] as const;
export type AgentTemplate = (typeof AGENT_TEMPLATES)[number];

export interface NewAgent {
  template: AgentTemplate;
  name: string;
  language: string;
  timezone: string;
}

/** Languages an agent can start in, by the console's language that its words are taken from. */
export const AGENT_LANGUAGES = { fr: "fr-FR", en: "en-GB" } as const;

export function fromTemplate({ template, name, language, timezone }: NewAgent, say: Translate): Agent {
  const agent: Agent = {
    ...blankAgent(name, language, timezone),
    greeting: say(`template.${template}.greeting`, { name }),
    prompt: say(`template.${template}.prompt`, { name }),
    default_error_message: { text: say("template.errorMessage"), language },
    actions: [blankAction("hang_up", say)],
  };
  if (template === "appointment") return withAppointment(agent, say);
  if (template === "afterHours") return withMessageTaking(agent, say);
  return agent;
}

function step(say: Translate, key: string, actions: Action[]): PromptStep {
  const name = say(`template.step.${key}.name`);
  const made = blankStep("prompt", freeId(name, []), name, "") as PromptStep;
  return { ...made, prompt: say(`template.step.${key}.prompt`), actions: actions.map((action) => action.name) };
}

function withAppointment(agent: Agent, say: Translate): Agent {
  const welcome = step(say, "welcome", agent.actions);
  const booking = step(say, "booking", agent.actions);
  const end = blankStep("end", "fin", say("template.step.end.name"), "");
  return {
    ...agent,
    path: {
      start: welcome.id,
      steps: [
        { ...welcome, transitions: [{ ...blankTransition("take_appointment", booking.id), description: say("template.transition.book") }] },
        {
          ...booking,
          transitions: [
            {
              ...blankTransition("appointment_taken", end.id),
              description: say("template.transition.booked"),
              extract: [
                { name: "appointment_day", description: say("template.extract.day"), type: "string", required: true },
                { name: "caller_name", description: say("template.extract.name"), type: "string", required: true },
              ],
            },
          ],
        },
        { ...end, text: say("template.step.end.text") } as typeof end,
      ],
    },
  };
}

function withMessageTaking(agent: Agent, say: Translate): Agent {
  const message = step(say, "message", agent.actions);
  const end = blankStep("end", "fin", say("template.step.end.name"), "");
  return {
    ...agent,
    path: {
      start: message.id,
      steps: [
        {
          ...message,
          transitions: [
            {
              ...blankTransition("message_taken", end.id),
              description: say("template.transition.message"),
              extract: [
                { name: "caller_name", description: say("template.extract.name"), type: "string", required: true },
                { name: "caller_message", description: say("template.extract.message"), type: "string", required: true },
              ],
            },
          ],
        },
        { ...end, text: say("template.step.end.messageText") } as typeof end,
      ],
    },
  };
}
