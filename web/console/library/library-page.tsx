import { Header } from "../shell/header";

export default function LibraryPage(_: Record<string, unknown>) {
  return <Header title="LibraryPage" />;
}
