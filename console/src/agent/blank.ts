/** New documents, complete, with the defaults that the server would give. */
import { END_OF_SPEECH_MS, HANG_UP_ATTEMPTS, PRE_CALL_SECONDS, RING_SECONDS, SILENCE_SECONDS, CALL_SECONDS, VOICE_SPEED, WAIT_SECONDS, WORKFLOW_TIMEOUT_SECONDS, type ActionKind, type StepKind } from "./limits";
import type { Action, Agent, FailoverAction, Provider, Schedule, SpeechProvider, Step, Transition } from "./schema";
import type { Translate } from "@/i18n";

export const blankProvider = (): Provider => ({ type: "embedded", model: null, base_url: null, api_key: null });
export const blankSpeech = (): SpeechProvider => ({ ...blankProvider(), voice: { id: null, speed: VOICE_SPEED.default } });
export const blankSchedule = (): Schedule => ({ enabled: false, mode: "inside", ranges: [], closed_dates: [] });
export const blankPreCall = (workflow_id: string) => ({ workflow_id, timeout_seconds: PRE_CALL_SECONDS.default });

export function blankAgent(name: string, language: string, timezone: string): Agent {
  return {
    name,
    direction: "inbound",
    active: true,
    language,
    timezone,
    phone_numbers: [],
    sip_connection_id: null,
    max_call_seconds: CALL_SECONDS.default,
    record_audio: false,
    announcement: null,
    pronunciations: {},
    providers: { stt: [blankProvider()], llm: [blankProvider()], tts: [blankSpeech()] },
    greeting: null,
    prompt: "",
    silence_check_seconds: SILENCE_SECONDS.default,
    path: null,
    actions: [],
    pre_call: null,
    failover: { enabled: false, forced_until: null, during_call: false, action: null },
    default_error_message: null,
  };
}

/** A new action; `say` speaks the agent's language, because the model reads these words. */
export function blankAction(kind: ActionKind, say: Translate): Action {
  const named = { name: say(`newAction.${kind}.name`), description: say(`newAction.${kind}.description`) };
  const preMessage = () => ({ enabled: false, example: null });
  switch (kind) {
    case "transfer":
      return {
        type: kind,
        ...named,
        max_ring_seconds: RING_SECONDS.default,
        destinations: [],
        sip_connection_id: null,
        destination_id: null,
        user_to_user: null,
        headers: [],
        target_agent_id: null,
        whisper: null,
        accept_key: null,
        schedule: blankSchedule(),
      };
    case "workflow":
      return { type: kind, ...named, workflow_id: "", pre_message: preMessage(), timeout_seconds: WORKFLOW_TIMEOUT_SECONDS.default };
    case "hang_up":
      return { type: kind, ...named, min_attempts: HANG_UP_ATTEMPTS.default };
    case "rag":
      return { type: kind, ...named, data_source_id: "", pre_message: preMessage() };
    case "keypad":
      return { type: kind, ...named };
    case "wait":
      return { type: kind, ...named, max_wait_seconds: WAIT_SECONDS.default };
  }
}

export function blankFailoverAction(kind: FailoverAction["type"], language: string): FailoverAction {
  switch (kind) {
    case "message":
      return { type: kind, text: "", language };
    case "transfer":
      return { type: kind, max_ring_seconds: RING_SECONDS.default, phone: null, sip_connection_id: null, destination_id: null, user_to_user: null, headers: [] };
    case "workflow":
      return { type: kind, workflow_id: "" };
  }
}

export function blankTransition(name: string, to: string): Transition {
  return { name, description: "", to, message: { mode: "silent", text: null }, extract: [] };
}

/** A new step; those that must lead somewhere lead to `to`. */
export function blankStep(kind: StepKind, id: string, name: string, to: string): Step {
  switch (kind) {
    case "prompt":
      return { type: kind, id, name, prompt: "", actions: [], transitions: [], end_of_speech_ms: END_OF_SPEECH_MS.default, interruptible: true, sensitive: false };
    case "say":
      return { type: kind, id, name, text: "", to };
    case "branch":
      return { type: kind, id, name, branches: [{ variable: "", operator: "is_set", value: null, to }], else: to };
    case "workflow":
      return { type: kind, id, name, workflow_id: "", input: {}, on_success: to, on_error: to };
    case "transfer":
      return { type: kind, id, name, action: "", outcomes: {}, else: to };
    case "end":
      return { type: kind, id, name, text: null };
  }
}
