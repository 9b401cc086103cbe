import { Grid2x2, Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { useClient } from "urql";
import { useLive } from "../graph/use-live";
import { isOver, mayWrite } from "../shell/access";
import { useViewer } from "../shell/viewer";
import { IconButton } from "../ui/button";
import { OnlyWriters } from "../ui/only-writers";
import { Failed, SkeletonRows } from "../ui/states";
import { Cost } from "./cost";
import { FileNamesProvider } from "./file-names";
import { Files } from "./files";
import { Findings } from "./findings-section";
import { type ShowBranch, type ShowMessage, WaysProvider } from "./links";
import { MergeDialog } from "./merge-dialog";
import { MostLikely } from "./most-likely";
import {
  type BranchRowFragment,
  FilesDocument,
  type FindingRowFragment,
  KnowledgeDocument,
  KnowledgeEventsDocument,
  type KnowledgeQuery,
} from "./operations";
import { Proposal } from "./proposal";
import { RuleOutMatrix } from "./rule-out-matrix";
import { SecondOpinions } from "./second-opinion";
import { Section } from "./section";
import { SimilarSessions } from "./similar-sessions";

interface Props {
  sessionId: string;
  branchId: string;
  branches: BranchRowFragment[];
  onShowMessage: ShowMessage;
  onShowBranch: ShowBranch;
}

/** What we know: what is likely, what was found, and what it rests on; live. */
export function KnowledgePanel(props: Props) {
  const { sessionId } = props;
  const client = useClient();
  const known = useLive({
    query: KnowledgeDocument,
    variables: { id: sessionId },
    events: KnowledgeEventsDocument,
    eventVariables: { sessionId },
    onEvent: ({ sessionChanged: { __typename } }) => {
      if (__typename !== "UploadChanged") return;
      void client
        .query(FilesDocument, { id: sessionId }, { requestPolicy: "network-only" })
        .toPromise();
    },
  });
  const session = known.data?.session;
  if (known.isLoading) return <SkeletonRows count={8} className="h-6" />;
  if (known.error && !session) {
    return <Failed what="What is known" error={known.error} retry={known.reload} />;
  }
  return session && <Sections {...props} session={session} />;
}

type Session = NonNullable<KnowledgeQuery["session"]>;

function Sections({
  sessionId,
  branchId,
  branches,
  onShowMessage,
  onShowBranch,
  session,
}: Props & { session: Session }) {
  const [isMatrixOpen, setIsMatrixOpen] = useState(false);
  const [bringing, setBringing] = useState<{ finding?: FindingRowFragment } | null>(null);
  const { findings, revivalProposals, secondOpinions, uploads, usage } = session;
  const ways = {
    sessionId,
    onShowMessage,
    onShowBranch: (id: string) => {
      setIsMatrixOpen(false);
      onShowBranch(id);
    },
  };
  const isWriter = mayWrite(session, useViewer());
  const fileNames = useMemo(() => uploads.map(({ filename }) => filename), [uploads]);
  const standing = findings.filter(({ withdrawnAt }) => withdrawnAt === null);
  return (
    <WaysProvider value={ways}>
      <FileNamesProvider value={fileNames}>
        <Section id="likely" title="Most likely">
          <MostLikely branchId={branchId} branches={branches} />
        </Section>
        {revivalProposals.length > 0 && (
          <Section id="revivals" title="Proposed revivals" count={revivalProposals.length}>
            <ul className="flex flex-col gap-2">
              {revivalProposals.map((proposal) => (
                <li key={proposal.id}>
                  <Proposal proposal={proposal} isDecidable={isWriter} />
                </li>
              ))}
            </ul>
          </Section>
        )}
        <Section
          id="findings"
          title="Findings"
          count={standing.length}
          actions={
            standing.length > 0 && (
              <>
                <IconButton label="Rule-out matrix" onClick={() => setIsMatrixOpen(true)}>
                  <Grid2x2 aria-hidden className="size-4" />
                </IconButton>
                {isWriter && (
                  <IconButton
                    label="Bring findings into this branch"
                    className="-mr-2"
                    onClick={() => setBringing({})}
                  >
                    <Plus aria-hidden className="size-4" />
                  </IconButton>
                )}
              </>
            )
          }
        >
          <Findings
            findings={findings}
            onBringElsewhere={isWriter ? (finding) => setBringing({ finding }) : undefined}
          />
        </Section>
        <Section id="files" title="Files" count={uploads.length}>
          <Files files={uploads} isWriter={isWriter} />
        </Section>
        <Section id="opinion" title="Second opinion">
          <SecondOpinions sessionId={sessionId} opinions={secondOpinions} isAskable={isWriter} />
        </Section>
        <Section id="similar" title="Similar sessions">
          <SimilarSessions sessionId={sessionId} />
        </Section>
        <Section id="cost" title="Cost of this session">
          <Cost usage={usage} branches={branches} />
        </Section>
        <RuleOutMatrix
          sessionId={sessionId}
          branches={branches}
          isOpen={isMatrixOpen}
          onClose={() => setIsMatrixOpen(false)}
        />
        <MergeDialog
          sessionId={sessionId}
          branchId={branchId}
          branches={branches}
          finding={bringing?.finding}
          isOpen={bringing !== null}
          onClose={() => setBringing(null)}
        />
        {!isWriter && !isOver(session) && (
          <OnlyWriters
            assignee={session.assignee}
            deed="bring findings together, decide on revivals and ask for an opinion"
            className="px-4 py-3"
          />
        )}
      </FileNamesProvider>
    </WaysProvider>
  );
}
