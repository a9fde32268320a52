/** Every field of the two documents that the product was ordered from, as they are named in them. Checked in components and in a real browser. */

export interface DocumentField {
  /** The kind of action; of failover actions with `failover.` before it. */
  of: string;
  label: string;
  control: "textbox" | "spinbutton" | "combobox" | "switch" | "checkbox" | "radio" | "group" | "button";
  /** Bounds and value in a new one. */
  min?: number;
  max?: number;
  value?: number | string | boolean;
  /** Where the value lies in the action. */
  at?: string;
  /** What has to be chosen before it is there. */
  needs?: "sip" | "header" | "hours" | "preMessage";
  /** In no document: a bound of our own, shown in the same way. */
  own?: true;
}

const field = (of: string, control: DocumentField["control"], label: string, more: Partial<DocumentField> = {}): DocumentField => ({ of, label, control, ...more });
const WEEK = ["Lundi", "Mardi", "Mercredi", "Jeudi", "Vendredi", "Samedi", "Dimanche"];

/** "Les actions globales". */
export const ACTION_FIELDS: readonly DocumentField[] = [
  field("transfer", "textbox", "Nom de l’action", { value: "Transfert" }),
  field("transfer", "textbox", "Description"),
  field("transfer", "radio", "Connexion SIP", { value: false }),
  field("transfer", "combobox", "Connexion SIP", { needs: "sip" }),
  field("transfer", "spinbutton", "Durée maximale de sonnerie", { min: 5, max: 45, value: 20, at: "max_ring_seconds" }),
  field("transfer", "group", "En-têtes personnalisés"),
  field("transfer", "textbox", "Header name", { needs: "header", value: "" }),
  field("transfer", "textbox", "Header Value", { needs: "header", value: "" }),
  field("transfer", "switch", "Restreindre le transfert à des plages horaires", { value: false }),
  ...WEEK.map((day) => field("transfer", "checkbox", day, { needs: "hours" })),
  field("transfer", "group", "Heures de disponibilité", { needs: "hours" }),
  field("transfer", "textbox", "Début", { needs: "hours", value: "09:00" }),
  field("transfer", "textbox", "Fin", { needs: "hours", value: "17:00" }),
  field("transfer", "combobox", "Pays (indicatif)"),
  field("transfer", "textbox", "Numéro de téléphone", { value: "" }),
  field("transfer", "button", "Importer un CSV"),
  field("hang_up", "textbox", "Nom de l’action", { value: "Raccrocher" }),
  field("hang_up", "textbox", "Description de l’action"),
  field("hang_up", "spinbutton", "Nombre minimal de tentatives", { min: 1, max: 5, value: 1, at: "min_attempts" }),
  field("rag", "textbox", "Nom de l’action"),
  field("rag", "textbox", "Description de l’action"),
  field("rag", "switch", "Message avant l’exécution de l’action"),
  field("rag", "textbox", "Exemple de phrase", { needs: "preMessage", value: "" }),
  field("rag", "combobox", "Source de données (RAG)", { value: "" }),
  field("keypad", "textbox", "Nom de l’action", { value: "Interaction clavier" }),
  field("keypad", "textbox", "Description de l’action"),
  field("wait", "textbox", "Nom de l’action", { value: "Attendre" }),
  field("wait", "textbox", "Description de l’action"),
  field("wait", "spinbutton", "Attente maximale", { min: 5, max: 1800, value: 300, at: "max_wait_seconds", own: true }),
  field("workflow", "textbox", "Nom de l’action"),
  field("workflow", "textbox", "Description de l’action"),
  field("workflow", "combobox", "Workflow", { value: "" }),
  field("workflow", "switch", "Message avant l’exécution de l’action"),
  field("workflow", "spinbutton", "Durée maximale", { min: 1, max: 30, value: 10, at: "timeout_seconds", own: true }),
];

/** "Failover". */
export const FAILOVER_FIELDS: readonly DocumentField[] = [
  field("failover", "switch", "Activer le failover", { value: false }),
  ...["Workflow", "Dire un message", "Transfert d’appel"].map((kind) => field("failover.message", "radio", kind)),
  field("failover.message", "textbox", "Phrase à dire", { value: "" }),
  field("failover.message", "combobox", "Langue", { value: "fr-FR" }),
  field("failover.transfer", "spinbutton", "Durée maximale de sonnerie", { min: 5, max: 45, value: 20, at: "max_ring_seconds" }),
  field("failover.transfer", "combobox", "Connexion SIP", { value: "" }),
  field("failover.transfer", "textbox", "Numéro", { value: "" }),
  field("failover.transfer", "group", "Headers personnalisés", { needs: "sip" }),
  field("failover.transfer", "textbox", "Header User-To-User", { needs: "sip", value: "" }),
  field("failover.transfer", "textbox", "Id de la destination", { needs: "sip", value: "" }),
  field("failover.workflow", "combobox", "Workflow", { value: "" }),
];

/** "Fichier .csv (max. 5 Mo)". */
export const MAX_FILE_BYTES = 5 * 1024 * 1024;
export const FILE_COLUMNS = [
  ["phone", "Texte", "Oui", "Format E.164 (ex. +33612345678)"],
  ["description", "Texte", "Non", "Description de la personne ou du service"],
] as const;

/** The name of a control as a screen reader says it: the label, and that it may stay empty. */
export function named(label: string): RegExp {
  return new RegExp(`^${label.replace(/[()]/g, "\\$&")}( facultatif)?$`);
}
