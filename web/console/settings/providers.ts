import type { IntegrationConnectionInput, IntegrationProvider } from "./operations";

export interface Entry {
  name: string;
  label: string;
  hint?: string;
  isSecret?: true;
  isOptional?: true;
}

interface Provider {
  label: string;
  /** What reaches it. */
  takes: string;
  /** As the API calls what is entered for it. */
  connection: keyof IntegrationConnectionInput;
  address: string;
  addressHint?: string;
  entries: Entry[];
}

export const PROVIDERS: Record<IntegrationProvider, Provider> = {
  CONNECTWISE: {
    label: "ConnectWise",
    takes: "Notes on tickets",
    connection: "connectwise",
    address: "https://api-na.myconnectwise.net",
    addressHint: "Without the path of the API.",
    entries: [
      { name: "companyId", label: "Company", hint: "As it is entered to sign in." },
      {
        name: "clientId",
        label: "Client id",
        hint: "The GUID that the vendor's developer network gives.",
      },
      { name: "publicKey", label: "Public key", isSecret: true },
      { name: "privateKey", label: "Private key", isSecret: true },
    ],
  },
  HALOPSA: {
    label: "HaloPSA",
    takes: "Notes on tickets",
    connection: "halopsa",
    address: "https://psa.example.com",
    entries: [
      {
        name: "clientId",
        label: "Client id",
        hint: "Of an API application with client credentials.",
        isSecret: true,
      },
      { name: "clientSecret", label: "Client secret", isSecret: true },
      { name: "tenant", label: "Tenant", hint: "Where Halo hosts it.", isOptional: true },
      {
        name: "internalOutcome",
        label: "Outcome of internal notes",
        hint: "Without it: Internal note.",
        isOptional: true,
      },
      {
        name: "visibleOutcome",
        label: "Outcome of notes the client sees",
        hint: "Without it: Public note.",
        isOptional: true,
      },
    ],
  },
  AUTOTASK: {
    label: "Autotask",
    takes: "Notes on tickets",
    connection: "autotask",
    address: "https://webservices.autotask.net",
    addressHint: "Your zone is found by itself.",
    entries: [
      { name: "userName", label: "User name", hint: "Of an API user." },
      { name: "secret", label: "Secret", isSecret: true },
      {
        name: "integrationCode",
        label: "Integration code",
        hint: "The tracking identifier.",
        isSecret: true,
      },
    ],
  },
  HUDU: {
    label: "Hudu",
    takes: "Articles",
    connection: "hudu",
    address: "https://docs.example.com",
    entries: [
      { name: "apiKey", label: "API key", isSecret: true },
      {
        name: "companyId",
        label: "Company",
        hint: "Its number: whose articles they become. Without it: everybody's.",
        isOptional: true,
      },
      { name: "folderId", label: "Folder", hint: "Its number.", isOptional: true },
    ],
  },
  IT_GLUE: {
    label: "IT Glue",
    takes: "Documents",
    connection: "itGlue",
    address: "https://api.itglue.com",
    entries: [
      { name: "apiKey", label: "API key", isSecret: true },
      {
        name: "organizationId",
        label: "Organisation",
        hint: "Its number: whose documents they become.",
      },
    ],
  },
  SMTP: {
    label: "Mail",
    takes: "Client summaries, and notices of escalations and claims",
    connection: "smtp",
    address: "smtps://mail.example.com",
    addressHint:
      "smtps://host:465, or smtp://host:587, which is encrypted before anything is said.",
    entries: [
      { name: "sender", label: "Sender", hint: "The address that mail comes from." },
      { name: "senderName", label: "Sender's name", isOptional: true },
      { name: "username", label: "User name", isOptional: true },
      { name: "password", label: "Password", isSecret: true, isOptional: true },
    ],
  },
  WEBHOOK: {
    label: "Webhook",
    takes: "Documents, as JSON, to a program of your own",
    connection: "webhook",
    address: "https://hooks.example.com/flowpilot",
    // Its secret is made here.
    entries: [],
  },
};

/** What was entered for a provider, as the API takes it; undefined where that is nothing. */
export function connectionOf(
  provider: IntegrationProvider,
  entered: Record<string, string>,
): IntegrationConnectionInput | undefined {
  if (Object.keys(entered).length === 0) return undefined;
  return { [PROVIDERS[provider].connection]: entered } as unknown as IntegrationConnectionInput;
}

const SECRET_BYTES = 32;

/** For a webhook; it is made here and shown nowhere later. */
export function newWebhookSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return `whsec_${btoa(String.fromCharCode(...bytes))}`;
}
