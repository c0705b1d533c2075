using System.Text;
using Dedup.Host.Guards;

namespace Dedup.Host.Configuration;

/// <summary>Loads a configuration file.</summary>
public static class ConfigLoader
{
    /// <summary>Reads and checks a file. Never throws for what is in it.</summary>
    /// <param name="path">The file as the user named it: messages name it so.</param>
    /// <param name="environment">Reads environment variables.</param>
    public static ConfigResult LoadFile(string path, Func<string, string?> environment)
    {
        var findings = new FindingList();
        try
        {
            var info = new FileInfo(path);
            if (info.Exists && info.Length > YamlReader.MaxBytes)
            {
                findings.Error(
                    path,
                    $"the file is larger than {YamlReader.MaxBytes / 1024} KiB",
                    "give Dedup's configuration file"
                );
                return new ConfigResult(null, [.. findings.All]) { NothingRead = true };
            }

            return LoadText(
                path,
                File.ReadAllText(path, new UTF8Encoding(false, throwOnInvalidBytes: true)),
                environment
            );
        }
        catch (DecoderFallbackException)
        {
            findings.Error(path, "the file is not UTF-8 text", "save it as UTF-8");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            findings.Error(
                path,
                "there is no such file",
                "give the path of the configuration file with --config"
            );
        }
        catch (Exception e)
            when (e
                    is IOException
                        or UnauthorizedAccessException
                        or ArgumentException
                        or NotSupportedException
            )
        {
            findings.Error(
                path,
                $"the file cannot be read: {e.Message}",
                "check the path and its permissions"
            );
        }

        return new ConfigResult(null, [.. findings.All]) { NothingRead = true };
    }

    /// <summary>Reads and checks a text.</summary>
    /// <param name="source">Its name in messages.</param>
    /// <param name="yaml">The text.</param>
    /// <param name="environment">Reads environment variables.</param>
    public static ConfigResult LoadText(
        string source,
        string yaml,
        Func<string, string?> environment
    )
    {
        var findings = new FindingList();
        ConfigNode? root = YamlReader.Read(source, yaml, new Variables(environment), findings);
        return ConfigReader.Read(root, environment, findings);
    }
}
