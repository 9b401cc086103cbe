import type {
  Destination,
  DestinationsQuery,
  DocumentsQuery,
  ResolutionOutputType,
} from "./operations";

export type Session = NonNullable<DocumentsQuery["session"]>;
type Integration = DestinationsQuery["integrations"][number];

/** A place where a document can be sent, or left. */
export interface Offer {
  key: string;
  destination: Destination;
  integrationId: string | null;
  name: string;
  about: string;
}

const PROVIDERS: Partial<Record<Integration["provider"], [Destination, string]>> = {
  HUDU: ["HUDU", "An article in Hudu"],
  IT_GLUE: ["IT_GLUE", "A document in IT Glue"],
  SMTP: ["EMAIL", "An e-mail to whom you name"],
  WEBHOOK: ["WEBHOOK", "A signed webhook"],
};

const ARTICLES_ONLY: Destination[] = ["KB_LIBRARY", "HUDU", "IT_GLUE"];

/** What fits the document, its session and the account: the ticket first. */
export function offersFor(
  type: ResolutionOutputType,
  { psaTicketId, integration }: Pick<Session, "psaTicketId" | "integration">,
  integrations: Integration[],
): Offer[] {
  const offers: Offer[] = [];
  if (psaTicketId && integration?.isEnabled) {
    offers.push({
      key: "PSA",
      destination: "PSA",
      integrationId: null,
      name: `Ticket ${psaTicketId}`,
      about: `A note in ${integration.name}`,
    });
  }
  offers.push({
    key: "KB_LIBRARY",
    destination: "KB_LIBRARY",
    integrationId: null,
    name: "Library",
    about: "The account's own articles, which later sessions are shown",
  });
  for (const { id, provider, name, isEnabled, pausedUntil } of integrations) {
    const [destination, about] = PROVIDERS[provider] ?? [];
    if (!isEnabled || !destination || !about) continue;
    offers.push({
      key: id,
      destination,
      integrationId: id,
      name,
      about: pausedUntil ? `${about}; it fails at the moment, so this would wait` : about,
    });
  }
  offers.push({
    key: "CLIPBOARD",
    destination: "CLIPBOARD",
    integrationId: null,
    name: "Clipboard",
    about: "To paste it anywhere; that you took it is noted",
  });
  const isArticle = type === "KNOWLEDGE_BASE";
  return offers.filter(({ destination }) => isArticle || !ARTICLES_ONLY.includes(destination));
}

/** Why the session's ticket is not among them. */
export function whyNoTicket({
  psaTicketId,
  integration,
}: Pick<Session, "psaTicketId" | "integration">): string | null {
  if (psaTicketId && integration?.isEnabled) return null;
  if (psaTicketId && integration)
    return `${integration.name}, where ticket ${psaTicketId} is, is switched off.`;
  if (psaTicketId)
    return `Ticket ${psaTicketId} is linked to no ticket system, so it cannot be written to.`;
  return "No ticket is linked to this session.";
}

/** As they are typed: between commas, semicolons, spaces and line breaks. */
export function recipientsIn(text: string): string[] {
  return text.split(/[\s,;]+/).filter(Boolean);
}
