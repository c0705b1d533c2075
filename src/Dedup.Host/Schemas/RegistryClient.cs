using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Dedup.Host.Schemas;

/// <summary>How a question to the registry ended.</summary>
internal enum RegistryStatus
{
    /// <summary>The schema is there.</summary>
    Found,

    /// <summary>The registry says that there is no such schema.</summary>
    NotThere,

    /// <summary>It did not answer, or not as a registry does.</summary>
    Away,
}

/// <summary>Another schema that a schema refers to.</summary>
/// <param name="Name">How it is called in <c>$ref</c>.</param>
/// <param name="Subject">Subject that it is registered under.</param>
/// <param name="Version">Version there.</param>
internal sealed record SchemaReference(string Name, string Subject, int Version);

/// <summary>What the registry said.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Schema">The schema's text, empty unless found.</param>
/// <param name="Type">JSON, AVRO, or PROTOBUF.</param>
/// <param name="References">What it refers to.</param>
/// <param name="Detail">What went wrong otherwise, in one line.</param>
internal sealed record RegistryAnswer(
    RegistryStatus Status,
    string Schema,
    string Type,
    ImmutableArray<SchemaReference> References,
    string Detail
);

/// <summary>
/// Asks a schema registry over its HTTP interface (Confluent's, which Karapace, Apicurio, and Redpanda have as well). Read-only.
/// </summary>
internal sealed class RegistryClient : IDisposable
{
    /// <summary>Longest wait for an answer; a healthy registry takes milliseconds.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>Largest answer: schemas are kilobytes.</summary>
    private const int MaxAnswerBytes = 8 << 20;

    private readonly HttpClient _http;

    /// <summary>Makes a client; user and password in the address are sent as basic authentication.</summary>
    public RegistryClient(Uri address)
    {
        // No redirects: the password would go along.
        _http = new HttpClient(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            }
        )
        {
            BaseAddress = new Uri(Plain(address).TrimEnd('/') + "/"),
            Timeout = Timeout,
            MaxResponseContentBufferSize = MaxAnswerBytes,
        };
        Name = Plain(address);
        _http.DefaultRequestHeaders.Accept.ParseAdd("application/vnd.schemaregistry.v1+json");
        _http.DefaultRequestHeaders.Accept.ParseAdd("application/json");
        if (address.UserInfo.Length > 0)
        {
            string credentials = Uri.UnescapeDataString(address.UserInfo);
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
                "Basic",
                Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials))
            );
        }
    }

    /// <summary>The address without user and password, for messages.</summary>
    public string Name { get; }

    /// <summary>An address as it may be printed.</summary>
    public static string Plain(Uri address) =>
        address.GetComponents(
            UriComponents.SchemeAndServer | UriComponents.Path,
            UriFormat.UriEscaped
        );

    /// <summary>Asks for the schema of that name.</summary>
    public Task<RegistryAnswer> GetAsync(SchemaName name, CancellationToken cancellation) =>
        AskAsync(name.Path, cancellation);

    /// <summary>Asks for a version of a subject.</summary>
    public Task<RegistryAnswer> GetAsync(
        SchemaReference reference,
        CancellationToken cancellation
    ) =>
        AskAsync(
            $"subjects/{Uri.EscapeDataString(reference.Subject)}/versions/{reference.Version}",
            cancellation
        );

    /// <summary>What is wrong with the registry, null when it answers and knows JSON Schema; for <c>dedup check</c>.</summary>
    public async Task<(string? Problem, bool Answers)> ProbeAsync(CancellationToken cancellation)
    {
        try
        {
            using HttpResponseMessage response = await _http.GetAsync(
                new Uri("schemas/types", UriKind.Relative),
                cancellation
            );
            string body = await response.Content.ReadAsStringAsync(cancellation);
            return !response.IsSuccessStatusCode
                    ? ($"answers {(int)response.StatusCode} {response.ReasonPhrase}", true)
                : body.Contains("\"JSON\"", StringComparison.Ordinal) ? (null, true)
                : ("does not name JSON among its schema types", true);
        }
        catch (Exception e) when (IsAway(e, cancellation))
        {
            return (Words(e), false);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<RegistryAnswer> AskAsync(string path, CancellationToken cancellation)
    {
        try
        {
            using HttpResponseMessage response = await _http.GetAsync(
                new Uri(path, UriKind.Relative),
                cancellation
            );
            string body = await response.Content.ReadAsStringAsync(cancellation);
            return response.StatusCode switch
            {
                HttpStatusCode.OK => Read(body),
                // A proxy or a wrong path answers 404 as well, but not with a registry's error code.
                HttpStatusCode.NotFound
                    when body.Contains("\"error_code\"", StringComparison.Ordinal) => Failed(
                    RegistryStatus.NotThere,
                    "not registered"
                ),
                _ => Failed(
                    RegistryStatus.Away,
                    $"it answers {(int)response.StatusCode} {response.ReasonPhrase}"
                ),
            };
        }
        catch (Exception e) when (IsAway(e, cancellation))
        {
            return Failed(RegistryStatus.Away, Words(e));
        }
    }

    private static RegistryAnswer Read(string body)
    {
        using JsonDocument answer = JsonDocument.Parse(body);
        JsonElement root = answer.RootElement;
        ImmutableArray<SchemaReference> references =
            root.TryGetProperty("references", out JsonElement list)
            && list.ValueKind == JsonValueKind.Array
                ?
                [
                    .. list.EnumerateArray()
                        .Select(static r => new SchemaReference(
                            r.GetProperty("name").GetString()!,
                            r.GetProperty("subject").GetString()!,
                            r.GetProperty("version").GetInt32()
                        )),
                ]
                : [];
        // The registry leaves the type out when it is Avro.
        string type = root.TryGetProperty("schemaType", out JsonElement t)
            ? t.GetString() ?? "AVRO"
            : "AVRO";
        return new RegistryAnswer(
            RegistryStatus.Found,
            root.GetProperty("schema").GetString()!,
            type,
            references,
            ""
        );
    }

    private static RegistryAnswer Failed(RegistryStatus status, string detail) =>
        new(status, "", "", [], detail);

    // Everything but being told to stop: a broken answer is no registry's answer.
    private static bool IsAway(Exception e, CancellationToken cancellation) =>
        e
            is HttpRequestException
                or JsonException
                or KeyNotFoundException
                or InvalidOperationException
                or FormatException
        || (e is OperationCanceledException && !cancellation.IsCancellationRequested);

    private static string Words(Exception e) =>
        e switch
        {
            OperationCanceledException => $"no answer within {Timeout.TotalSeconds:0} s",
            HttpRequestException => (e.InnerException?.Message ?? e.Message).ReplaceLineEndings(
                " "
            ),
            _ => "the answer is not a registry's",
        };
}
