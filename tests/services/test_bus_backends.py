"""Each scheme has its carrier. Kafka has no broker here: what can be told of it without one is told."""

import asyncio
from contextlib import suppress

import pytest
from aiokafka.errors import KafkaConnectionError
from broadcaster._backends.postgres import PostgresBackend

from services.bus_backends import (
    BACKENDS,
    KafkaBackend,
    RedisBackend,
    RedisStreamBackend,
    backend_for,
)
from services.wakebus import CHANNEL


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("postgresql://host/name", PostgresBackend),
        ("postgres://host/name", PostgresBackend),
        ("redis://host:6379", RedisBackend),
        ("rediss://host:6379", RedisBackend),
        ("redis-stream://host:6379", RedisStreamBackend),
        ("kafka://host:9092,other:9093", KafkaBackend),
    ],
)
async def test_each_scheme_has_its_backend(url: str, kind: type[object]) -> None:
    backend = backend_for(url, CHANNEL)
    assert type(backend) is kind
    with suppress(AttributeError):  # broadcaster's was never connected
        await backend.disconnect()


def test_no_scheme_is_left_out() -> None:
    schemes = {"postgresql", "postgres", "redis", "rediss", "redis-stream", "kafka"}
    assert set(BACKENDS) == schemes


async def test_redis_with_tls_speaks_tls() -> None:
    backend = backend_for("rediss://127.0.0.1:1", CHANNEL)
    assert isinstance(backend, RedisBackend)
    assert "SSLConnection" in repr(backend._redis.connection_pool)
    await backend.disconnect()


@pytest.mark.parametrize(
    ("url", "brokers"),
    [
        ("kafka://one", ["one"]),
        ("kafka://one:9092,two:9093/", ["one:9092", "two:9093"]),
    ],
)
async def test_kafka_knows_all_its_brokers_and_hears_without_a_group(
    url: str, brokers: list[str]
) -> None:
    backend = backend_for(url, CHANNEL)
    assert isinstance(backend, KafkaBackend)
    assert backend._producer.client._bootstrap_servers == brokers
    assert backend._consumer._client._bootstrap_servers == brokers
    assert backend._consumer.subscription() == {CHANNEL}
    assert backend._consumer._group_id is None
    await backend.disconnect()


async def test_kafka_without_a_broker_fails_and_leaves_nothing_open() -> None:
    tasks = asyncio.all_tasks()
    backend = backend_for("kafka://127.0.0.1:1", CHANNEL)
    with pytest.raises(KafkaConnectionError):
        await backend.connect()
    await backend.disconnect()
    await backend.disconnect()
    assert asyncio.all_tasks() == tasks
