"""How far an ingest has come, as others can see it while it runs."""


def landed(lake, kafka, topic, pipeline=None) -> int:
    """Records of the topic whose commit is visible. A DuckDB-file catalog lets nobody in beside pintail: there Kafka's copy of the offsets,
    which is written after the commit, has to do (for topics without gaps)."""
    pipeline = pipeline or f"pintail-{topic}"
    if not lake.concurrent:
        return sum(kafka.committed(pipeline, topic).values())

    def count(reader):
        return reader.one(
            "SELECT coalesce(sum(row_count + dead_letter_count), 0)::BIGINT FROM lake.pintail.offsets WHERE topic = ? AND pipeline = ?",
            topic,
            pipeline,
        )

    return lake.read(lambda reader: reader.at_newest((topic, pipeline), count), 0)


def wait_landed(process, lake, kafka, topic, count, pipeline=None, timeout=40):
    lake.last_error = None
    try:
        process.wait_for(lambda: landed(lake, kafka, topic, pipeline) >= count, timeout, f"{count} records of {topic} in the lake")
    except AssertionError as e:
        raise AssertionError(f"{e}\nlanded: {landed(lake, kafka, topic, pipeline)}; last error of the reader: {lake.last_error}") from None
