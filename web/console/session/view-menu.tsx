import { ChevronDown } from "lucide-react";
import { EXPORT_FORMATS, useExport } from "../documents/use-export";
import { Menu, MenuItem } from "../ui/menu";
import type { SessionHeadFragment } from "./operations";
import type { View, ViewName } from "./use-view";

const VIEWS: Record<ViewName, string> = {
  talk: "Conversation",
  documents: "Documents",
  compare: "Compare",
  timeline: "Timeline",
};

/** What stands in the middle of the page, and the session as a file. */
export function ViewMenu({ session, view }: { session: SessionHeadFragment; view: View }) {
  const { save, problem } = useExport(session.id);
  const hasDocuments = session.resolutionSummary !== null;
  return (
    <>
      <span role="alert" className="text-xs text-dead-end empty:hidden">
        {problem}
      </span>
      <Menu
        label={`View: ${VIEWS[view.name]}`}
        className="min-h-8 gap-1 px-2 text-sm"
        button={
          <>
            {VIEWS[view.name]}
            <ChevronDown aria-hidden className="size-4" />
          </>
        }
      >
        <MenuItem onAction={() => view.show("talk")}>Conversation</MenuItem>
        {hasDocuments && <MenuItem onAction={() => view.show("documents")}>Documents</MenuItem>}
        <MenuItem onAction={() => view.show("timeline")}>Timeline</MenuItem>
        {EXPORT_FORMATS.map(({ format, words }) => (
          <MenuItem key={format} onAction={() => void save(format)}>
            {words}
          </MenuItem>
        ))}
      </Menu>
    </>
  );
}
