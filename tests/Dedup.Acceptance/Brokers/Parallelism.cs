// Brokers, pipelines, and time-outs share two cores: two such tests at once would measure each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
