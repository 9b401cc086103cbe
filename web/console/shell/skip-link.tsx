/** For those who come by keyboard: past the header, which every page has. */
export function SkipLink() {
  function skip(): void {
    const main = document.querySelector("main");
    main?.setAttribute("tabindex", "-1");
    main?.focus();
  }
  return (
    <button
      type="button"
      onClick={skip}
      className="absolute top-1 left-1 z-30 -translate-y-20 rounded bg-panel px-3 py-1.5 shadow-float focus:translate-y-0"
    >
      Skip to the content
    </button>
  );
}
