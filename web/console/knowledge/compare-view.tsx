import { X } from "lucide-react";
import { useMemo } from "react";
import { useQuery } from "urql";
import { mayWrite } from "../shell/access";
import { useViewer } from "../shell/viewer";
import { IconButton } from "../ui/button";
import { Failed, SkeletonRows } from "../ui/states";
import { CompareSide } from "./compare-side";
import { FileNamesProvider } from "./file-names";
import { BranchLink, type ShowMessage, WaysProvider } from "./links";
import { CompareDocument } from "./operations";
import { useNavigation } from "./use-navigation";

/** Two branches side by side: what each has come to since they parted. */
export function CompareView({
  leftId,
  rightId,
  onShowMessage,
  onClose,
}: {
  leftId: string;
  rightId: string;
  onShowMessage: ShowMessage;
  onClose: () => void;
}) {
  const [{ data, error }, reload] = useQuery({
    query: CompareDocument,
    variables: { leftId, rightId },
    requestPolicy: "cache-and-network",
  });
  const session = data?.branch?.session;
  const ways = useNavigation(session?.id ?? "");
  const viewer = useViewer();
  const fileNames = useMemo(
    () => session?.uploads.map(({ filename }) => filename) ?? [],
    [session],
  );
  const compared = data?.branch?.compareWith;
  return (
    <section aria-label="Two branches compared" className="@container flex flex-col bg-panel">
      <header className="flex items-center gap-3 border-b px-4 py-2.5">
        <h2 className="text-base font-semibold">Compare</h2>
        {compared && (
          <p className="min-w-0 flex-1 text-xs text-ink-2">
            <WaysProvider value={ways}>
              Since they parted on{" "}
              <BranchLink id={compared.commonAncestor.id}>
                {compared.commonAncestor.label}
              </BranchLink>
            </WaysProvider>
          </p>
        )}
        <IconButton label="Close the comparison" className="ml-auto" onClick={onClose}>
          <X aria-hidden className="size-4" />
        </IconButton>
      </header>
      {error && !compared && <Failed what="The comparison" error={error} retry={() => reload()} />}
      {!compared && !error && <SkeletonRows count={5} className="h-10" />}
      {session && compared && (
        <WaysProvider value={{ ...ways, onShowMessage }}>
          <FileNamesProvider value={fileNames}>
            <div className="grid @2xl:grid-cols-2 @2xl:grid-rows-[repeat(4,auto)]">
              <CompareSide
                side={compared.left}
                other={compared.right.branch}
                isMergeable={mayWrite(session, viewer)}
              />
              <CompareSide
                side={compared.right}
                other={compared.left.branch}
                isMergeable={mayWrite(session, viewer)}
              />
            </div>
          </FileNamesProvider>
        </WaysProvider>
      )}
    </section>
  );
}
