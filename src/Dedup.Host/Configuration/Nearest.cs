namespace Dedup.Host.Configuration;

/// <summary>Finds the name that a user probably meant.</summary>
public static class Nearest
{
    /// <summary>The nearest of the known names, null when none is near: at most a third of the letters may differ.</summary>
    public static string? To(string name, IEnumerable<string> known)
    {
        string? best = null;
        int bestDistance = int.MaxValue;
        string wanted = Plain(name);
        foreach (string candidate in known)
        {
            string plain = Plain(candidate);
            int distance = Distance(wanted, plain);
            if (
                distance < bestDistance
                && distance <= Math.Max(1, Math.Max(wanted.Length, plain.Length) / 3)
            )
            {
                best = candidate;
                bestDistance = distance;
            }
        }

        return best;
    }

    // maxFuture, max_future, and max.future all mean max-future.
    private static string Plain(string name)
    {
        string cut = name.Length > 100 ? name[..100] : name;
        return cut.ToLowerInvariant().Replace('_', '-').Replace('.', '-');
    }

    /// <summary>Edits (insert, delete, replace, swap neighbours) between two words.</summary>
    public static int Distance(string a, string b)
    {
        int[] beforeLast = new int[b.Length + 1];
        int[] last = new int[b.Length + 1];
        int[] now = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++)
        {
            last[j] = j;
        }

        for (int i = 1; i <= a.Length; i++)
        {
            now[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int cost = a[i - 1] == b[j - 1] ? 0 : 1;
                now[j] = Math.Min(Math.Min(now[j - 1], last[j]) + 1, last[j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    now[j] = Math.Min(now[j], beforeLast[j - 2] + 1);
                }
            }

            (beforeLast, last, now) = (last, now, beforeLast);
        }

        return last[b.Length];
    }
}
