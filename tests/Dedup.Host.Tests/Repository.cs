using System.Runtime.CompilerServices;

namespace Dedup.Host.Tests;

/// <summary>The repository's folders, for tests that read its files.</summary>
internal static class Repository
{
    /// <summary>The folder of Dedup.sln, above the folder of this very file.</summary>
    public static string Root { get; } = FindRoot(ThisFile());

    public static string PathOf(string relative) => Path.Combine(Root, relative);

    /// <summary>Relative paths of the C# files below a folder, without what a build made.</summary>
    public static IEnumerable<string> Sources(string folder) =>
        Directory
            .EnumerateFiles(PathOf(folder), "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Root, file))
            .Where(file => !file.Split('/').Any(part => part is "bin" or "obj"))
            .Order(StringComparer.Ordinal);

    private static string FindRoot(string from)
    {
        // The sources may have been built elsewhere (a container): then the program's own folder leads home.
        foreach (string start in (string[])[from, AppContext.BaseDirectory])
        {
            for (
                string? folder = Path.GetDirectoryName(start);
                folder is not null;
                folder = Path.GetDirectoryName(folder)
            )
            {
                if (File.Exists(Path.Combine(folder, "Dedup.sln")))
                {
                    return folder;
                }
            }
        }
        throw new InvalidOperationException(
            "Dedup.sln lies above neither the sources nor the test program"
        );
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
