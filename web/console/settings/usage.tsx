import { useFresh } from "../graph/use-fresh";
import { Empty } from "../ui/states";
import { Ago, day } from "../ui/time";
import { UsageDocument, type UsageQuery } from "./operations";
import { Facts, Loaded, Panel, Section } from "./section";
import { Cell, Row, Table } from "./table";

type Account = UsageQuery["viewer"]["account"];
type Month = Account["usageByMonth"][number];

const PLANS: Record<Account["plan"], string> = {
  FREE: "Free",
  PRO: "Pro",
  TEAM: "Team",
  ENTERPRISE: "Enterprise",
};

const COUNT = new Intl.NumberFormat();
const SHARE = new Intl.NumberFormat(undefined, { style: "percent" });
/** Months begin at midnight UTC. */
const MONTH = new Intl.DateTimeFormat(undefined, {
  month: "long",
  year: "numeric",
  timeZone: "UTC",
});

/** From where on one should know that the month's budget may not last. */
const NEARLY_USED_UP = 0.9;

export default function Usage() {
  const found = useFresh(UsageDocument, {});
  return (
    <Section
      title="Usage"
      about="Tokens that models have read and written for you. The offline playbook uses none. The budget counts them weighted by price: input 1, output 5, read from the cache 0.1, written to it 1.25."
    >
      <Loaded what="The usage" found={found}>
        {({ viewer: { account } }) => (
          <>
            <Panel title="This month">
              <Budget budget={account.budget} />
            </Panel>
            <Panel title="Plan">
              <Facts
                facts={[
                  ["Plan", PLANS[account.plan]],
                  [
                    "Branches of a session",
                    account.branchLimit === null
                      ? "Unlimited"
                      : `${COUNT.format(account.branchLimit)}, archived ones not counted`,
                  ],
                ]}
              />
            </Panel>
            <Panel title="By month">
              <Months months={account.usageByMonth} />
            </Panel>
          </>
        )}
      </Loaded>
    </Section>
  );
}

function Budget({ budget }: { budget: Account["budget"] }) {
  const { limit, used, remaining, renewsAt } = budget;
  const isUsedUp = remaining === 0;
  return (
    <div className="flex flex-col gap-2 px-4 py-3">
      <p className="flex flex-wrap items-baseline gap-x-2 tabular-nums">
        <span className="text-lg font-semibold">{COUNT.format(used)}</span>
        <span className="text-ink-2">
          {limit === null ? "used, without a limit" : `of ${COUNT.format(limit)} weighted tokens`}
        </span>
      </p>
      {limit !== null && <Bar share={used / limit} isMarked={used / limit >= NEARLY_USED_UP} />}
      <p className="text-ink-2 tabular-nums">
        {remaining !== null && `${COUNT.format(remaining)} remain. `}
        Renews <Ago at={renewsAt} />, on {day(renewsAt)}.
      </p>
      {isUsedUp && (
        <p className="text-dead-end">
          The assistant answers no more until then. All else works as before.
        </p>
      )}
    </div>
  );
}

/** A share of a whole, beside the numbers that say it. */
function Bar({ share, isMarked = false }: { share: number; isMarked?: boolean }) {
  return (
    <div aria-hidden className="h-1.5 w-full overflow-hidden rounded-full bg-line">
      <div
        className={`h-full rounded-full ${isMarked ? "bg-dead-end" : "bg-accent"}`}
        style={{ width: `${Math.min(share, 1) * 100}%` }}
      />
    </div>
  );
}

const NUMBERS = ["Answers", "Input", "From the cache", "Output"];

function Months({ months }: { months: Month[] }) {
  const most = Math.max(1, ...months.map(({ weighted }) => weighted));
  if (months.length === 0) return <Empty>Nothing has been used yet.</Empty>;
  return (
    <Table label="Usage by month" heads={["Month", ...NUMBERS, "Weighted"]} numbers={NUMBERS}>
      {months.map(({ startsAt, answers, usage, weighted }) => (
        <Row key={startsAt}>
          <Cell isFirst className="font-medium whitespace-nowrap">
            {MONTH.format(new Date(startsAt))}
          </Cell>
          <Cell label="Answers" className="tabular-nums md:text-right">
            {COUNT.format(answers)}
          </Cell>
          <Cell label="Input" className="tabular-nums md:text-right">
            {COUNT.format(usage.input)}
          </Cell>
          <Cell label="From the cache" className="tabular-nums md:text-right">
            {SHARE.format(usage.input ? usage.cacheRead / usage.input : 0)}
          </Cell>
          <Cell label="Output" className="tabular-nums md:text-right">
            {COUNT.format(usage.output)}
          </Cell>
          <Cell label="Weighted" className="tabular-nums max-md:basis-full md:w-56">
            {COUNT.format(weighted)}
            <Bar share={weighted / most} />
          </Cell>
        </Row>
      ))}
    </Table>
  );
}
