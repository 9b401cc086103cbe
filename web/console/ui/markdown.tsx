import { memo } from "react";
import ReactMarkdown, { type Components, type Options } from "react-markdown";
import remarkGfm from "remark-gfm";

const COMPONENTS: Components = {
  // An address that is not safe to follow comes without anything in it.
  a: ({ href, children }) =>
    href ? (
      <a href={href} target="_blank" rel="noreferrer noopener" className="text-accent underline">
        {children}
      </a>
    ) : (
      children
    ),
  // A picture from elsewhere would tell its server who reads this, and when.
  img: ({ alt, src }) => (
    <span>
      [{alt || "picture"}: {String(src ?? "")}]
    </span>
  ),
  table: ({ children }) => (
    <div className="overflow-x-auto">
      <table>{children}</table>
    </div>
  ),
  pre: ({ children }) => (
    // It scrolls, which needs to be possible by keyboard.
    <pre tabIndex={0}>{children}</pre>
  ),
  h1: "h3",
  h2: "h4",
  h3: "h5",
  h4: "h6",
};

/** Text of people and models. It becomes elements, never HTML, and loads nothing. */
export const Markdown = memo(function Markdown({
  text,
  plugins,
  components,
}: {
  text: string;
  /** What else is made of its elements, and how that is shown; the same ones with every call. */
  plugins?: Options["rehypePlugins"];
  components?: Components;
}) {
  return (
    <div dir="auto" className="prose">
      <ReactMarkdown
        remarkPlugins={[remarkGfm]}
        rehypePlugins={plugins}
        components={{ ...COMPONENTS, ...components }}
        skipHtml={false}
      >
        {text}
      </ReactMarkdown>
    </div>
  );
});
