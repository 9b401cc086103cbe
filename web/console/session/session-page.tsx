import { Header } from "../shell/header";

export default function SessionPage(_: Record<string, unknown>) {
  return <Header title="SessionPage" />;
}
