import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Auth } from "../../shared/auth";
import { Socket } from "./socket";

/** A line to a server that the test plays. */
class Line {
  static opened: Line[] = [];
  static OPEN = 1;
  readyState = 1;
  sent: { id?: string; type: string; payload?: Record<string, unknown> }[] = [];
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  onclose?: (event: { code: number; reason: string; wasClean: boolean }) => void;

  constructor() {
    Line.opened.push(this);
    queueMicrotask(() => this.onopen?.());
  }

  send(data: string): void {
    const message = JSON.parse(data);
    this.sent.push(message);
    if (message.type === "connection_init") this.say({ type: "connection_ack" });
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  close(code = 1000, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason, wasClean: code === 1000 });
  }

  subscribed() {
    return this.sent.filter(({ type }) => type === "subscribe");
  }
}

const refresh = vi.fn(async () => true);
const AUTH = {
  state: () => ({ identity: { id: "us_1" } }),
  header: async () => ({ Authorization: "Bearer token" }),
  refresh,
} as unknown as Auth;
const QUERY = "subscription E($after: String) { sessionChanged(after: $after) { cursor } }";

async function line(number: number): Promise<Line> {
  await vi.waitFor(() => expect(Line.opened[number]?.subscribed()).toHaveLength(1));
  return Line.opened[number] as Line;
}

beforeEach(() => {
  Line.opened = [];
  refresh.mockClear();
  vi.stubGlobal("WebSocket", Line);
});

afterEach(() => vi.unstubAllGlobals());

test("a line that was cut is taken up again from the last event that came", async () => {
  const socket = new Socket(AUTH);
  const heard: unknown[] = [];
  const sink = { next: (result: unknown) => heard.push(result), error: vi.fn(), complete: vi.fn() };
  const end = socket.follow(
    { query: QUERY, variables: { sessionId: "se_1", after: "ev_1" } },
    sink,
  );

  const first = await line(0);
  expect(first.subscribed()[0]?.payload?.variables).toEqual({ sessionId: "se_1", after: "ev_1" });
  expect(socket.line()).toBe("live");
  const { id } = first.subscribed()[0] ?? {};
  for (const cursor of ["ev_2", "ev_3"]) {
    first.say({ id, type: "next", payload: { data: { sessionChanged: { cursor } } } });
  }
  first.close(1006);
  expect(socket.line()).toBe("reconnecting");

  const second = await line(1);
  expect(second.subscribed()[0]?.payload?.variables).toEqual({ sessionId: "se_1", after: "ev_3" });
  expect(socket.line()).toBe("live");
  expect(heard).toHaveLength(2);
  expect(refresh).not.toHaveBeenCalled();
  end();
  socket.close();
});

test("a line that was refused comes back with new tokens", async () => {
  const socket = new Socket(AUTH);
  const sink = { next: vi.fn(), error: vi.fn(), complete: vi.fn() };
  socket.follow({ query: QUERY, variables: { after: "ev_1" } }, sink);
  (await line(0)).close(4403);
  await line(1);
  expect(refresh).toHaveBeenCalledTimes(1);
  expect(sink.error).not.toHaveBeenCalled();
  socket.close();
});
