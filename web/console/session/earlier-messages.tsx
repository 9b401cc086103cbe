import { useState } from "react";
import { useClient } from "urql";
import { Button } from "../ui/button";
import { EarlierMessagesDocument } from "./operations";

export function EarlierMessages({ branchId, before }: { branchId: string; before: string }) {
  const client = useClient();
  const [isLoading, setIsLoading] = useState(false);
  async function load(): Promise<void> {
    setIsLoading(true);
    await client.query(EarlierMessagesDocument, { id: branchId, before }).toPromise();
    setIsLoading(false);
  }
  return (
    <Button look="quiet" className="self-center" disabled={isLoading} onClick={() => void load()}>
      {isLoading ? "Loading…" : "Show earlier messages"}
    </Button>
  );
}
