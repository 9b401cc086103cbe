import { Link } from "wouter";
import { buttonClass } from "../ui/button";
import { Empty } from "../ui/states";
import { Header } from "./header";

export function NotFound() {
  return (
    <>
      <Header title="Not found" />
      <main>
        <Empty
          action={
            <Link href="/sessions" className={buttonClass()}>
              To the sessions
            </Link>
          }
        >
          There is nothing here, or nothing that you may see.
        </Empty>
      </main>
    </>
  );
}
