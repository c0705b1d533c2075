using System.Diagnostics;
using Confluent.Kafka;

namespace Dedup.Host.Guards;

/// <summary>
/// Remembers what the client said while it tried to connect. The call itself only times out; why, the client tells its error
/// and log handlers.
/// </summary>
internal sealed class ConnectionSigns
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ErrorCode, string> _heard = [];
    private Error? _lasting;
    private long _lastingSince;

    /// <summary>The first sign of something that trying again does not mend, and how long ago it was.</summary>
    public (Error Error, TimeSpan Elapsed)? FirstLastingSign
    {
        get
        {
            lock (_lock)
            {
                return _lasting is null
                    ? null
                    : (_lasting, Stopwatch.GetElapsedTime(_lastingSince));
            }
        }
    }

    /// <summary>Whether a broker was there and refused, or its name or certificate is wrong.</summary>
    public bool IsRefusal
    {
        get
        {
            lock (_lock)
            {
                return Find(
                    ErrorCode.Local_Authentication,
                    ErrorCode.SaslAuthenticationFailed,
                    ErrorCode.Local_Ssl
                )
                    is not null;
            }
        }
    }

    /// <summary>Forgets what was heard, before asking again.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _heard.Clear();
            _lasting = null;
        }
    }

    /// <summary>Hears an error.</summary>
    public void Hear(Error error)
    {
        lock (_lock)
        {
            _heard[error.Code] = Plain(error.Reason);
            if (_lasting is null && IsLasting(error.Code))
            {
                _lasting = error;
                _lastingSince = Stopwatch.GetTimestamp();
            }
        }
    }

    /// <summary>Hears a log line; nothing of it is printed, errors come through the error handler as well.</summary>
    public void Hear(LogMessage message)
    {
        if (message.Message.Contains("Connection refused", StringComparison.Ordinal))
        {
            Hear(new Error(ErrorCode.Local_Transport, "connection refused"));
        }
    }

    /// <summary>What is wrong, and the fix.</summary>
    public Finding Explain(string where, string servers, Error error)
    {
        lock (_lock)
        {
            if (
                Find(ErrorCode.Local_Authentication, ErrorCode.SaslAuthenticationFailed) is
                { } login
            )
            {
                return Make(
                    $"the broker refuses the login: {login}",
                    "check sasl.username, sasl.password, and sasl.mechanism"
                );
            }

            if (Find(ErrorCode.Local_Ssl) is { } ssl)
            {
                return Make(
                    $"no TLS connection: {ssl}",
                    "check security.protocol, ssl.ca.location, and the broker's certificate"
                );
            }

            if (Find(ErrorCode.Local_Resolve) is { } resolve)
            {
                return Make(
                    $"a broker's name cannot be resolved: {resolve}",
                    "check the host names in bootstrap.servers"
                );
            }

            string detail =
                Find(ErrorCode.Local_Transport, ErrorCode.Local_AllBrokersDown) ?? error.Reason;
            return Make(
                $"no broker at {servers} answers: {detail}",
                "start the broker, or correct bootstrap.servers; a broker that wants TLS or a login looks like this too: then set security.protocol"
            );
        }

        Finding Make(string what, string fix) => new(Severity.Error, where, what, fix);
    }

    private string? Find(params ReadOnlySpan<ErrorCode> codes)
    {
        foreach (ErrorCode code in codes)
        {
            if (_heard.TryGetValue(code, out string? reason))
            {
                return reason;
            }
        }

        return null;
    }

    // "… Connection refused (after 0ms in state CONNECT, 1 identical error(s) suppressed)": the brackets help nobody here.
    private static string Plain(string reason)
    {
        int after = reason.LastIndexOf(" (after ", StringComparison.Ordinal);
        return after < 0 ? reason : reason[..after];
    }

    private static bool IsLasting(ErrorCode code) =>
        code
            is ErrorCode.Local_Authentication
                or ErrorCode.SaslAuthenticationFailed
                or ErrorCode.Local_Ssl
                or ErrorCode.Local_Resolve
                or ErrorCode.Local_AllBrokersDown;
}
