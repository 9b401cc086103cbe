"""Registers the domain's enums under their GraphQL names: the members' names, in upper case."""

import strawberry

from models import (
    account,
    audit,
    branch,
    delivery,
    finding,
    handoff,
    hypothesis,
    integration,
    message,
    opinion,
    output,
    session,
    sla,
    upload,
)
from services.exports.links import ExportFormat
from services.messages import MessageScope
from services.outputs import grounding, reading

for enum in (
    account.Plan,
    account.Role,
    account.Scope,
    audit.AuditAction,
    branch.BranchStatus,
    delivery.DeliveryFailure,
    delivery.DeliveryGuarantee,
    delivery.DeliveryState,
    delivery.Destination,
    finding.Bearing,
    finding.FindingKind,
    handoff.ClaimEnd,
    handoff.Confidence,
    handoff.HandoffIntent,
    handoff.HandoffPriority,
    handoff.HandoffState,
    hypothesis.RevivalProposalState,
    integration.IntegrationProvider,
    message.MessageRole,
    message.MessageState,
    opinion.SecondOpinionState,
    output.ResolutionOutputStatus,
    output.ResolutionOutputType,
    grounding.SentenceBasis,
    reading.LineChange,
    session.ConfidenceTier,
    session.IntakeType,
    session.SessionStatus,
    session.SessionType,
    sla.SlaState,
    upload.UploadState,
):
    strawberry.enum(enum)

strawberry.enum(
    MessageScope,
    description="OWN: said on this branch. LINEAGE: what it inherited from its ancestors first, "
    "then its own.",
)
strawberry.enum(
    ExportFormat,
    description="ARCHIVE: a ZIP with all three and the files that were brought in, 500 MB of them at most.",
)
