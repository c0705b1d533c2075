using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Tests;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Scopes;
using Dedup.Topology.Identify.Sources;
using Dedup.Topology.Judge;
using Dedup.Topology.Ledger;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Windows;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;

namespace DedupTopology.Tests.Judge;

/// <summary>
/// The judge against a plain model over random sequences: records in batches, commits, aborts, restarts, other windows after a
/// restart, expired buckets dropped or not. Times of three windows, few IDs, so that everything meets everything.
/// </summary>
public sealed class PolicyModelTests
{
    private static readonly Config Many = Config.QuickThrowOnFailure.WithMaxTest(
        Repetitions.Of(1_500)
    );
    private static readonly string[] Types = ["", "a1", "b"];
    private static readonly string[] Names = ["", "a*"];
    private static readonly long[] Widths = [7, 20, 50, 100];

    internal enum Act
    {
        None,
        Judge,
        Commit,
        Abort,
        Restart,
        OtherWindows,
    }

    internal sealed record Step(int Type, int Id, int TimeMs, int Content, Act Then);

    internal sealed record Case(
        PipelineSpec Spec,
        ModelWindow[] Windows,
        long BucketMs,
        Step[] Steps
    )
    {
        public override string ToString() =>
            $"windows {string.Join(' ', Windows)} bucket {BucketMs} late {Spec.Late} conflict {Spec.Conflict} ({Spec.Recipe.Fingerprint?.Text}) refresh {Spec.Refresh}\n"
            + string.Join('\n', Steps.Select(static s => s.ToString()));
    }

    private static readonly Gen<ModelWindow[]> Windows =
        from a in Gen.Elements(Widths)
        from b in Gen.Elements(Widths)
        from graceA in Gen.Choose(0, 2)
        from graceB in Gen.Choose(0, 2)
        select new[]
        {
            new ModelWindow(Names[0], a, a * graceA / 2),
            new ModelWindow(Names[1], b, b * graceB / 2),
        };

    private static readonly Gen<Step> Steps =
        from type in Gen.Choose(0, Types.Length - 1)
        from id in Gen.Choose(0, 1)
        from time in Gen.Choose(1_000, 1_320)
        from content in Gen.Choose(0, 1)
        from then in Gen.Frequency<Act>(
            (6, Gen.Constant(Act.None)),
            (4, Gen.Constant(Act.Judge)),
            (2, Gen.Constant(Act.Commit)),
            (1, Gen.Constant(Act.Abort)),
            (1, Gen.Constant(Act.Restart)),
            (1, Gen.Constant(Act.OtherWindows))
        )
        select new Step(type, id, time, content, then);

    private static readonly Gen<Case> Cases =
        from windows in Windows
        from bucket in Gen.Elements(0L, 0L, 1L, 3L)
        from refresh in Gen.Elements(false, true)
        from fingerprint in Gen.Elements(false, true)
        from conflict in Gen.Elements(
            ConflictPolicy.Quarantine,
            ConflictPolicy.Duplicate,
            ConflictPolicy.Clean
        )
        from late in Gen.Elements(LatePolicy.Forward, LatePolicy.Quarantine, LatePolicy.Drop)
        from steps in Steps.ArrayOf().Resize(60)
        select new Case(
            Spec(windows, bucket, refresh && bucket == 0, fingerprint, conflict, late),
            windows,
            bucket,
            steps
        );

    [Fact]
    public void The_judge_says_what_the_model_says_whatever_is_committed_aborted_dropped_or_restarted() =>
        Prop.ForAll(Arb.From(Cases), static c => Run(c)).Check(Many);

    internal static PipelineSpec Spec(
        ModelWindow[] windows,
        long bucketMs,
        bool refresh,
        bool fingerprint,
        ConflictPolicy conflict,
        LatePolicy late
    ) =>
        new()
        {
            Name = "p",
            Input = "in",
            Clean = "out",
            Quarantine = "q",
            Recipe = new Recipe(
                [
                    bucketMs > 0
                        ? new ContentSource(new ContentOptions { BucketMs = bucketMs })
                        : new KeySource(),
                ],
                new Scope(null, null, new ScopePart(new HeaderSource("type"))),
                fingerprint ? new Fingerprint() : null
            ).WithTypes(new TypePatterns([.. Names.Skip(1)])),
            Windows = ClassesOf(windows),
            MaxFutureMs = 1_000_000,
            Late = late,
            Conflict = conflict,
            Refresh = refresh,
        };

    private static System.Collections.Immutable.ImmutableArray<WindowClass> ClassesOf(
        ModelWindow[] windows
    ) =>
        [
            .. windows.Select(
                static (w, i) => new WindowClass((ushort)i, w.Name, w.WindowMs, w.GraceMs)
            ),
        ];

    private static bool Run(Case c)
    {
        using var run = new ModelRun(c);
        foreach (Step step in c.Steps)
        {
            run.Take(step);
        }

        run.Judge();
        return true;
    }

    /// <summary>One case: the judge with its store, the model, and the model as of the last commit.</summary>
    private sealed class ModelRun : IDisposable
    {
        private readonly Case _case;
        private readonly List<ModelRecord> _waiting = [];
        private readonly List<ModelRecord> _open = [];
        private readonly DictionaryStore _store = new();
        private PipelineSpec _spec;
        private PartitionJudge _judge;
        private PolicyModel _model;
        private PolicyModel _committed;
        private Marker _marker;
        private long _offset;
        private int _commits;

        public ModelRun(Case c)
        {
            _case = c;
            _spec = c.Spec;
            _judge = new PartitionJudge(_spec, new SipHash(1, 2));
            _marker = Fresh;
            _model = new PolicyModel
            {
                Windows = c.Windows,
                Late = c.Spec.Late,
                Conflict = c.Spec.Conflict,
                HasFingerprint = c.Spec.Recipe.Fingerprint is not null,
                Refresh = c.Spec.Refresh,
                BucketMs = c.BucketMs,
            };
            _committed = _model.Copy();
        }

        public void Dispose() => _store.Dispose();

        public void Take(Step step)
        {
            // With content as the ID the payload is the ID: then there are no conflicts.
            string id = $"id{step.Id}";
            string content = _case.BucketMs > 0 ? id : $"content{step.Content}";
            _waiting.Add(new ModelRecord(Types[step.Type], id, step.TimeMs, content, _offset++));
            switch (step.Then)
            {
                case Act.Judge:
                    Judge();
                    break;
                case Act.Commit:
                    Judge();
                    Commit();
                    break;
                case Act.Abort:
                    Judge();
                    _judge.Abort();
                    _model = _committed.Copy();
                    _waiting.AddRange(_open);
                    _open.Clear();
                    break;
                case Act.Restart:
                    Restart(_case.Windows);
                    break;
                case Act.OtherWindows:
                    Restart([.. _case.Windows.Select(w => w with { WindowMs = w.WindowMs + 13 })]);
                    break;
                default:
                    break;
            }
        }

        public void Judge()
        {
            if (_waiting.Count == 0)
            {
                return;
            }

            var batch = new MemoryBatch { FirstOffset = _waiting[0].Offset };
            foreach (ModelRecord r in _waiting)
            {
                batch.Add(r.Id, r.TimeMs, r.Content, r.Type);
            }

            var judgements = new Judgement[batch.Count];
            _judge.Judge(batch, 0, batch.Count, 2_000, new Refusals(), _store, judgements);
            for (int i = 0; i < judgements.Length; i++)
            {
                ModelRecord record = _waiting[i];
                ModelVerdict expected = _model.Judge(record);
                new ModelVerdict(
                    judgements[i].Verdict,
                    judgements[i].Destination,
                    judgements[i].FirstSeen.SeenMs,
                    judgements[i].FirstSeen.SourceOffset
                ).ShouldBe(expected, record.ToString());
            }

            _open.AddRange(_waiting);
            _waiting.Clear();
        }

        private static Marker Fresh =>
            new()
            {
                RecipeVersion = 0,
                ClusterId = "",
                InputTopicId = "",
                PartitionCount = 1,
                HashKey0 = 1,
                HashKey1 = 2,
                InputOffset = 0,
                Writer = "",
                Classes = [],
                Buckets = [],
                Counts = [],
            };

        private void Commit()
        {
            _store.Add(_judge.Overlay.Entries);
            MarkerBucket[] buckets =
            [
                .. _store.Buckets.Select(static b => new MarkerBucket(b, 1, 0)),
            ];
            _marker = _marker with
            {
                Classes = _judge.Clocks.Pending(buckets),
                Counts = _judge.Ledger.Pending(),
            };
            _judge.Commit();
            _committed = _model.Copy();
            _open.Clear();
            if (++_commits % 2 == 0)
            {
                // A bucket may be there or not once it has expired: nobody can tell.
                DropExpired();
            }
        }

        private void DropExpired()
        {
            BucketId[] expired = [.. _store.Buckets.Where(_judge.Clocks.IsExpired)];
            _store.DropBuckets(expired);
        }

        private void Restart(ModelWindow[] windows)
        {
            Judge();
            Commit();
            _spec = _spec with { Windows = ClassesOf(windows) };
            _judge = new PartitionJudge(_spec, new SipHash(1, 2));
            _judge.Load(_marker);
            _model = _model.Under(windows);
            _committed = _model.Copy();
            DropExpired();
            _judge.Ledger.Consumed.ShouldBe(_offset);
            for (int i = 0; i < windows.Length; i++)
            {
                _judge.Clocks.Committed(i).ShouldBe(_model.ClockOf(windows[i].Name));
            }
        }
    }
}
