import { useRef, useState } from "react";
import { useClient } from "urql";
import { newKey } from "../graph/keys";
import { inWords } from "../graph/use-action";
import {
  DocumentPreviewDocument,
  type DocumentPreviewQuery,
  type DocumentPreviewQueryVariables,
} from "./operations";

export type Preview = DocumentPreviewQuery["outputDeliveryPreview"];

interface Previewed {
  preview: Preview;
  /** Of the document that it shows. */
  version: number;
  /** Of the delivery that would be made just so, however often that has to be asked for. */
  idempotencyKey: string;
}

/** What a delivery would send. It is dropped when anything about it is changed, also while it is asked for. */
export function usePreview() {
  const client = useClient();
  const [previewed, setPreviewed] = useState<Previewed | null>(null);
  const [isAsking, setIsAsking] = useState(false);
  const [problem, setProblem] = useState("");
  const latest = useRef(0);

  function drop(): void {
    latest.current += 1;
    setPreviewed(null);
    setIsAsking(false);
    setProblem("");
  }

  async function ask(address: DocumentPreviewQueryVariables, version: number): Promise<void> {
    drop();
    setIsAsking(true);
    const asked = latest.current;
    const { data, error } = await client
      .query(DocumentPreviewDocument, address, { requestPolicy: "network-only" })
      .toPromise();
    if (asked !== latest.current) return;
    setIsAsking(false);
    setProblem(error ? inWords(error) : "");
    const preview = data?.outputDeliveryPreview;
    if (preview) setPreviewed({ preview, version, idempotencyKey: newKey() });
  }

  return { previewed, isAsking, problem, ask, drop };
}
