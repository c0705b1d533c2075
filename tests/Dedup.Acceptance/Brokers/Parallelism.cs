using Dedup.Acceptance.Brokers;
using Dedup.Acceptance.Faults;
using Dedup.Simulation.Conformance;
using Xunit.Sdk;
using Xunit.v3;

// The scenarios of conformance wait for Kafka's timers most of the time.
[assembly: CollectionBehavior(typeof(Parallelism), MaxParallelThreads = 4)]

namespace Dedup.Acceptance.Brokers;

/// <summary>
/// Which tests run beside others: the scenarios of conformance, each with topics of its own and next to no CPU, and two of the
/// random faults, which wait for time-outs and restarts most of the time and do no harm to the broker. All others run alone:
/// brokers, pipelines, and time-outs share two cores, and two such tests at once would measure each other.
/// </summary>
public sealed class Parallelism(IXunitTestAssembly assembly) : IXunitTestCollectionFactory
{
    private static readonly Type[] Patient = [typeof(ProcessFaultTests), typeof(StateFaultTests)];

    /// <inheritdoc/>
    public string DisplayName => "what waits in parallel";

    /// <inheritdoc/>
    public IXunitTestCollection Get(Type testClass) =>
        new XunitTestCollection(
            assembly,
            collectionDefinition: null,
            disableParallelization: !testClass.IsSubclassOf(typeof(ConformanceSuite))
                && !Patient.Contains(testClass),
            testClass.FullName ?? testClass.Name
        );
}
