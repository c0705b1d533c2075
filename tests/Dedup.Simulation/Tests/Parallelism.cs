// The batches use all cores by themselves.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
