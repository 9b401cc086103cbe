import { Header } from "../shell/header";

export default function SessionsPage(_: Record<string, unknown>) {
  return <Header title="SessionsPage" />;
}
