using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Dedup.Host.Brokers;

/// <summary>Free TCP ports on loopback for a broker that must keep them over its restarts.</summary>
/// <remarks>
/// They lie below the kernel's ephemeral range. A port of that range could be taken by any client's outgoing connection while the broker is down,
/// and a client that keeps connecting to it can even connect to itself.
/// </remarks>
public static class LoopbackPorts
{
    private const int LowestPort = 12_000;
    private const int DefaultEphemeralStart = 32_768;

    // A range with 20,000 ports and a few dozen taken: a miss is rare, fifty in a row mean that binding itself fails.
    private const int MaxAttemptsPerPort = 50;

    /// <summary>Picks <paramref name="count"/> different ports that can be bound now.</summary>
    /// <exception cref="InvalidOperationException">No port could be bound.</exception>
    public static IReadOnlyList<int> Pick(int count)
    {
        int end = Math.Max(LowestPort + 1_000, EphemeralStart());
        var ports = new List<int>(count);
        for (
            int attempt = 0;
            ports.Count < count && attempt < count * MaxAttemptsPerPort;
            attempt++
        )
        {
            int port = RandomNumberGenerator.GetInt32(LowestPort, end);
            if (!ports.Contains(port) && CanBind(port))
            {
                ports.Add(port);
            }
        }
        return ports.Count == count
            ? ports
            : throw new InvalidOperationException(
                $"no {count} free loopback ports between {LowestPort} and {end}; are sockets allowed here?"
            );
    }

    private static bool CanBind(int port)
    {
        using var socket = new Socket(
            AddressFamily.InterNetwork,
            SocketType.Stream,
            ProtocolType.Tcp
        );
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int EphemeralStart()
    {
        const string file = "/proc/sys/net/ipv4/ip_local_port_range";
        if (!File.Exists(file))
        {
            return DefaultEphemeralStart;
        }
        string first = File.ReadAllText(file)
            .Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[0];
        return int.TryParse(first, CultureInfo.InvariantCulture, out int start)
            ? start
            : DefaultEphemeralStart;
    }
}
