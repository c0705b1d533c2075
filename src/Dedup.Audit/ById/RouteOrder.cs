using Dedup.Audit.Intake;
using Dedup.Audit.Matching;
using Dedup.Contracts.Identity;

namespace Dedup.Audit.ById;

/// <summary>
/// What of the order can be told of by-id: records of one input partition that went through the same partition of the
/// repartition topic are on clean in the order in which they arrived. Between others nothing is promised.
/// </summary>
internal sealed class RouteOrder(WholeScope whole, int repartitionPartitions)
{
    private const ushort NoRoute = ushort.MaxValue;

    private readonly ushort[] _routes = NewRoutes(whole.CleanPositions);
    private readonly uint[] _inputOf = new uint[whole.CleanPositions + 1];

    /// <summary>Partitions beyond which a route cannot be noted.</summary>
    public const int MaxPartitions = NoRoute;

    /// <summary>Notes by which partition a clean record came, told by the unkeyed hash of its ID (docs/adr/0010-by-id.md).</summary>
    public void Note(uint clean, in EventKey unkeyed) =>
        _routes[clean] = (ushort)(unkeyed.Low % (uint)repartitionPartitions);

    /// <summary>Notes which input record a clean one is.</summary>
    public void Match(uint clean, uint input) => _inputOf[clean] = input;

    /// <summary>Calls back, for each route, for each clean record of a smallest set whose removal leaves the rest in order.</summary>
    public void FindMoved(Action<uint, uint> moved)
    {
        foreach (PartitionScope scope in whole.Scopes)
        {
            long count = scope.CleanEnd - scope.CleanStart;
            var routes = new List<uint>[Math.Min(repartitionPartitions, MaxPartitions)];
            for (long i = 1; i <= count; i++)
            {
                uint clean = (uint)(scope.CleanBase + i);
                if (_inputOf[clean] != 0 && _routes[clean] != NoRoute)
                {
                    (routes[_routes[clean]] ??= []).Add(clean);
                }
            }

            foreach (List<uint>? route in routes)
            {
                if (route is null)
                {
                    continue;
                }

                var backbone = new Backbone(route.Count);
                for (int i = 0; i < route.Count; i++)
                {
                    backbone.Match((uint)i + 1, _inputOf[route[i]]);
                }

                backbone.FindMoved(i => moved(route[(int)i - 1], _inputOf[route[(int)i - 1]]));
            }
        }
    }

    private static ushort[] NewRoutes(long cleanPositions)
    {
        ushort[] routes = new ushort[cleanPositions + 1];
        Array.Fill(routes, NoRoute);
        return routes;
    }
}
