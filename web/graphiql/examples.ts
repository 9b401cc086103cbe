const queries = import.meta.glob<string>("./examples/*.graphql", {
  eager: true,
  query: "?raw",
  import: "default",
});
const variables = import.meta.glob<string>("./examples/*.json", {
  eager: true,
  query: "?raw",
  import: "default",
});

export interface Example {
  /** The root field, which is also the file's name. */
  name: string;
  /** The first line of the file's opening comment. */
  summary: string;
  query: string;
  /** JSON with placeholders such as "$uuid"; empty if the operation takes no variables. */
  variables: string;
}

export interface ExampleGroup {
  title: string;
  examples: Example[];
}

export const EXAMPLE_GROUPS: ExampleGroup[] = [
  group("Look around", [
    "viewer",
    "sessions",
    "treeFlat",
    "treeNested",
    "conversation",
    "messagePrompt",
    "timeline",
    "sessionAt",
    "kbArticles",
    "queue",
  ]),
  group("Start and talk", [
    "startSession",
    "sendMessage",
    "sendBranchMessage",
    "retryMessage",
    "cancelMessage",
    "regenerateMessage",
    "chooseAlternative",
  ]),
  group("Files", ["uploadFile", "retryUpload", "uploads"]),
  group("Fork and explore", [
    "forkBranch",
    "switchBranch",
    "markBranchStatus",
    "reviveBranch",
    "renameBranch",
    "archiveBranch",
    "restoreBranch",
  ]),
  group("Across branches", [
    "findings",
    "compareWith",
    "mergeFindings",
    "undoFindingMerge",
    "acceptRevivalProposal",
    "dismissRevivalProposal",
    "requestSecondOpinion",
  ]),
  group("Hand off", [
    "handOffSession",
    "claimHandoff",
    "heartbeatHandoff",
    "releaseHandoff",
    "cancelHandoff",
    "reassignSession",
    "retryHandoffPreparation",
    "saveSlaTargets",
  ]),
  group("Who is there", ["presence", "lookAtBranch", "leaveSession", "presenceChanged"]),
  group("Deliver", [
    "integrations",
    "saveIntegration",
    "testIntegration",
    "removeIntegration",
    "linkTicket",
    "deliveryPreview",
    "pushHandoff",
    "retryDelivery",
    "deliveries",
  ]),
  group("End", ["resolveSession", "abandonSession", "reopenSession", "exportSession"]),
  group("Documents", [
    "documents",
    "editResolutionOutput",
    "approveResolutionOutput",
    "rejectResolutionOutput",
    "regenerateResolutionOutput",
    "outputDeliveryPreview",
    "pushResolutionOutput",
  ]),
  group("Live", [
    "sessionChanged",
    "branchChanged",
    "messageStreamed",
    "sessionsChanged",
    "queueChanged",
  ]),
  group("Access", [
    "signIn",
    "refreshTokens",
    "signOut",
    "createApiKey",
    "revokeApiKey",
    "saveMember",
    "deactivateMember",
    "reactivateMember",
    "changePassword",
    "auditEntries",
  ]),
];

export const FIRST_EXAMPLE = example("viewer");

function group(title: string, names: string[]): ExampleGroup {
  return { title, examples: names.map(example) };
}

function example(name: string): Example {
  const query = queries[`./examples/${name}.graphql`];
  if (query === undefined) throw new Error(`There is no example ${name}.graphql.`);
  return {
    name,
    summary: query.slice(0, query.indexOf("\n")).replace(/^#\s*/, ""),
    query,
    variables: variables[`./examples/${name}.json`] ?? "",
  };
}
