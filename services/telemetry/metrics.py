"""What is counted where it happens. Labels have few values, and none that a client makes up.

What can be read off the process when it is asked for is in services.telemetry.exposition.
"""

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]

OPERATIONS = Counter(
    "flowpilot_operations",
    "GraphQL operations that have ended, by kind, root field and first error code",
    ["kind", "field", "code"],
)
OPERATION_SECONDS = Histogram(
    "flowpilot_operation_seconds",
    "How long queries and mutations took",
    ["kind"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120),
)
DOCUMENTS = Counter(
    "flowpilot_documents",
    "Documents of operations: parsed and validated already (kept), or to be (read)",
    ["how"],
)
HTTP_RESPONSES = Counter("flowpilot_http_responses", "HTTP responses by status", ["status"])
OPEN_SOCKETS = Gauge("flowpilot_open_sockets", "WebSockets that are open")
RUNNING_SUBSCRIPTIONS = Gauge("flowpilot_running_subscriptions", "Subscriptions under way")

EVENTS_DELIVERED = Counter("flowpilot_events_delivered", "Events handed to subscriptions")
FEED_RESETS = Counter("flowpilot_feed_resets", "Subscribers that were told to query again")
FEED_LAG = Histogram(
    "flowpilot_feed_lag_seconds",
    "From an event's time, as the database has it, until this process has read it",
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5),
)

DELIVERY_TRIES = Counter(
    "flowpilot_delivery_tries", "Tries of deliveries, by how they ended", ["destination", "result"]
)

AI_TOKENS = Counter(
    "flowpilot_ai_tokens", "Tokens used, kept answer or not, as the provider tells", ["kind"]
)
AI_ANSWERS = Counter("flowpilot_ai_answers", "Attempts to answer, by how they ended", ["result"])
AI_TASKS = Counter(
    "flowpilot_ai_tasks", "Attempts at work besides answers, by how they ended", ["task", "result"]
)
JOBS_GIVEN_UP = Counter(
    "flowpilot_jobs_given_up",
    "Jobs that failed for good by a fault that nobody had foreseen, by what they do",
    ["job"],
)
