using Dedup.Host.CrashTest;
using Dedup.Host.Running;

namespace Dedup.Acceptance.Faults;

/// <summary>What can happen to the state directory of a process that is dead.</summary>
internal enum Damage
{
    /// <summary>All of it is gone, the instance id too: the restarted one is a new member, and its predecessor a dead one.</summary>
    DirectoryDeleted,

    /// <summary>The stores of all partitions are gone.</summary>
    StoresDeleted,

    /// <summary>Half of the files end early.</summary>
    Truncated,

    /// <summary>A bit in each of half of the files is another.</summary>
    BitsFlipped,

    /// <summary>Two partitions have each other's store.</summary>
    Swapped,

    /// <summary>The stores are those of another pipeline, under this one's pipeline.json.</summary>
    OfAnotherPipeline,

    /// <summary>The stores are an older copy of themselves: somebody has restored a backup.</summary>
    OldCopy,
}

/// <summary>Damages the state of a dead worker.</summary>
internal static class StateDamage
{
    /// <summary>Directory of the stores.</summary>
    public static string StoresOf(CrashTopics topics, WorkerProcess worker) =>
        PipelineState.DirectoryOf(worker.StateDirectory, topics.Input);

    /// <summary>Copies the stores somewhere else.</summary>
    public static void Copy(string from, string to)
    {
        _ = Directory.CreateDirectory(to);
        foreach (string directory in StoreDirectories(from))
        {
            foreach (
                string file in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)
            )
            {
                string target = Path.Combine(to, Path.GetRelativePath(from, file));
                _ = Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(file, target, overwrite: true);
            }
        }
    }

    /// <summary>Does it; what was done, for people.</summary>
    /// <param name="damage">What.</param>
    /// <param name="worker">To whom.</param>
    /// <param name="stores">Its stores.</param>
    /// <param name="copy">What takes their place for <see cref="Damage.OfAnotherPipeline"/> and <see cref="Damage.OldCopy"/>.</param>
    /// <param name="seed">Decides which files, bits, and lengths.</param>
    public static string Do(
        Damage damage,
        WorkerProcess worker,
        string stores,
        string copy,
        FaultSeed seed
    )
    {
        switch (damage)
        {
            case Damage.DirectoryDeleted:
                Directory.Delete(worker.StateDirectory, recursive: true);
                return "all of it";
            case Damage.StoresDeleted:
                return $"{DeleteStores(stores)} stores";
            case Damage.Truncated:
                return $"{EachOfHalf(stores, seed, Truncate)} files";
            case Damage.BitsFlipped:
                return $"{EachOfHalf(stores, seed, FlipBit)} files";
            case Damage.Swapped:
                string[] all = StoreDirectories(stores);
                Directory.Move(all[0], stores + "/swapping");
                Directory.Move(all[^1], all[0]);
                Directory.Move(stores + "/swapping", all[^1]);
                return $"{Path.GetFileName(all[0])} and {Path.GetFileName(all[^1])}";
            default:
                int n = DeleteStores(stores);
                Copy(copy, stores);
                return $"{StoreDirectories(stores).Length} for {n} stores";
        }
    }

    /// <summary>Directories named by a partition; others lie beside them, set aside.</summary>
    private static string[] StoreDirectories(string stores) =>
        [
            .. Directory
                .EnumerateDirectories(stores)
                .Where(static d => int.TryParse(Path.GetFileName(d), out _))
                .Order(StringComparer.Ordinal),
        ];

    private static int DeleteStores(string stores)
    {
        string[] all = StoreDirectories(stores);
        Array.ForEach(all, static d => Directory.Delete(d, recursive: true));
        return all.Length;
    }

    private static int EachOfHalf(string stores, FaultSeed seed, Action<FileStream, FaultSeed> act)
    {
        int done = 0;
        foreach (string directory in StoreDirectories(stores))
        {
            // In an order that does not depend on the file system.
            string[] files = Directory.GetFiles(directory, "*", SearchOption.AllDirectories);
            foreach (string file in files.Order(StringComparer.Ordinal))
            {
                using FileStream stream = File.Open(file, FileMode.Open, FileAccess.ReadWrite);
                if (stream.Length > 0 && seed.Between(0, 2) == 0)
                {
                    act(stream, seed);
                    done++;
                }
            }
        }

        return done;
    }

    private static void Truncate(FileStream file, FaultSeed seed) =>
        file.SetLength((long)(seed.Next() % (ulong)file.Length));

    private static void FlipBit(FileStream file, FaultSeed seed)
    {
        long at = (long)(seed.Next() % (ulong)file.Length);
        file.Position = at;
        int b = file.ReadByte();
        file.Position = at;
        file.WriteByte((byte)(b ^ (1 << seed.Between(0, 8))));
    }
}
