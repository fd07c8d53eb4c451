// Typed access to the class NetworkedMultiplayerENet for C#, which sees classes of extensions only by their names.
// docs/csharp.md shows how to use it; the editor's help (F1) describes every member.

#nullable enable

using System;
using Godot;

/// <summary>A server or client as Godot 3.6 has it. Give it to <c>Multiplayer.MultiplayerPeer</c>.</summary>
public sealed class NetworkedMultiplayerENet
{
    /// <summary>How datagrams are compressed.</summary>
    public enum CompressionModeEnum : long
    {
        None = 0, // COMPRESS_NONE
        RangeCoder = 1, // COMPRESS_RANGE_CODER
        FastLz = 2, // COMPRESS_FASTLZ
        Zlib = 3, // COMPRESS_ZLIB
        Zstd = 4, // COMPRESS_ZSTD
    }

    /// <summary>When a client has to prove its address.</summary>
    public enum AddressProofEnum : long
    {
        Auto = 0, // ADDRESS_PROOF_AUTO
        Always = 1, // ADDRESS_PROOF_ALWAYS
        Never = 2, // ADDRESS_PROOF_NEVER
    }

    /// <summary>When packets leave.</summary>
    public enum FlushModeEnum : long
    {
        PerFrame = 0, // FLUSH_PER_FRAME
        EachPut = 1, // FLUSH_EACH_PUT
    }

    /// <summary>Why there is no connection.</summary>
    public enum ConnectionErrorEnum : long
    {
        None = 0, // CONNECTION_ERROR_NONE
        TimedOut = 1, // CONNECTION_ERROR_TIMED_OUT
        Refused = 2, // CONNECTION_ERROR_REFUSED
        NotResolved = 3, // CONNECTION_ERROR_NOT_RESOLVED
        ClosedByServer = 4, // CONNECTION_ERROR_CLOSED_BY_SERVER
        Lost = 5, // CONNECTION_ERROR_LOST
        CertificateExpired = 6, // CONNECTION_ERROR_CERTIFICATE_EXPIRED
        CertificateNotYetValid = 7, // CONNECTION_ERROR_CERTIFICATE_NOT_YET_VALID
        WrongName = 8, // CONNECTION_ERROR_WRONG_NAME
        Untrusted = 9, // CONNECTION_ERROR_UNTRUSTED
        NoDtls = 10, // CONNECTION_ERROR_NO_DTLS
        HandshakeTimedOut = 11, // CONNECTION_ERROR_HANDSHAKE_TIMED_OUT
        HandshakeFailed = 12, // CONNECTION_ERROR_HANDSHAKE_FAILED
        Untagged = 13, // CONNECTION_ERROR_UNTAGGED
        Mtu = 14, // CONNECTION_ERROR_MTU
        Kicked = 15, // CONNECTION_ERROR_KICKED
    }

    /// <summary>Why a peer has left.</summary>
    public enum DisconnectReasonEnum : long
    {
        None = 0, // DISCONNECT_REASON_NONE
        Left = 1, // DISCONNECT_REASON_LEFT
        Lost = 2, // DISCONNECT_REASON_LOST
        Disconnected = 3, // DISCONNECT_REASON_DISCONNECTED
        Kicked = 4, // DISCONNECT_REASON_KICKED
        Limit = 5, // DISCONNECT_REASON_LIMIT
        Untagged = 6, // DISCONNECT_REASON_UNTAGGED
        Mtu = 7, // DISCONNECT_REASON_MTU
        Relay = 8, // DISCONNECT_REASON_RELAY
    }

    private const string ClassName = "NetworkedMultiplayerENet";

    /// <summary>Makes a new peer. Throws when the addon is not loaded.</summary>
    public NetworkedMultiplayerENet()
        : this(ClassDB.Instantiate(ClassName).As<MultiplayerPeer>())
    {
    }

    /// <summary>Wraps a peer that is there, such as <c>Multiplayer.MultiplayerPeer</c>.</summary>
    public NetworkedMultiplayerENet(MultiplayerPeer? peer)
    {
        if (peer == null || !peer.IsClass(ClassName))
        {
            throw new ArgumentException($"This is no {ClassName}; is the addon in the project?", nameof(peer));
        }
        Peer = peer;
    }

    /// <summary>The peer itself: everything of MultiplayerPeer and PacketPeer is here.</summary>
    public MultiplayerPeer Peer { get; }

    public static implicit operator MultiplayerPeer(NetworkedMultiplayerENet peer) => peer.Peer;

    public event Action ConnectionSucceeded
    {
        add => Peer.Connect("connection_succeeded", Callable.From(value));
        remove => Peer.Disconnect("connection_succeeded", Callable.From(value));
    }

    public event Action ConnectionFailed
    {
        add => Peer.Connect("connection_failed", Callable.From(value));
        remove => Peer.Disconnect("connection_failed", Callable.From(value));
    }

    public event Action Closed
    {
        add => Peer.Connect("closed", Callable.From(value));
        remove => Peer.Disconnect("closed", Callable.From(value));
    }

    public event Action ServerDisconnected
    {
        add => Peer.Connect("server_disconnected", Callable.From(value));
        remove => Peer.Disconnect("server_disconnected", Callable.From(value));
    }

    /// <summary>Gets a client's IP address, port and future id, and answers whether it may connect.</summary>
    public Callable AdmissionCallback
    {
        get => Peer.Get("admission_callback").AsCallable();
        set => Peer.Set("admission_callback", value);
    }

    public bool AlwaysOrdered
    {
        get => Peer.Get("always_ordered").AsBool();
        set => Peer.Set("always_ordered", value);
    }

    public int ChannelCount
    {
        get => Peer.Get("channel_count").AsInt32();
        set => Peer.Set("channel_count", value);
    }

    public CompressionModeEnum CompressionMode
    {
        get => (CompressionModeEnum)Peer.Get("compression_mode").AsInt64();
        set => Peer.Set("compression_mode", (long)value);
    }

    /// <summary>Connections of one address that may begin each second; 0 is no limit.</summary>
    public int ConnectionRateLimit
    {
        get => Peer.Get("connection_rate_limit").AsInt32();
        set => Peer.Set("connection_rate_limit", value);
    }

    public string DtlsHostname
    {
        get => Peer.Get("dtls_hostname").AsString();
        set => Peer.Set("dtls_hostname", value);
    }

    public bool DtlsVerify
    {
        get => Peer.Get("dtls_verify").AsBool();
        set => Peer.Set("dtls_verify", value);
    }

    public FlushModeEnum FlushMode
    {
        get => (FlushModeEnum)Peer.Get("flush_mode").AsInt64();
        set => Peer.Set("flush_mode", (long)value);
    }

    public long MaxBufferedBytes
    {
        get => Peer.Get("max_buffered_bytes").AsInt64();
        set => Peer.Set("max_buffered_bytes", value);
    }

    public long MaxBytesPerSecond
    {
        get => Peer.Get("max_bytes_per_second").AsInt64();
        set => Peer.Set("max_bytes_per_second", value);
    }

    public int MaxPacketSize
    {
        get => Peer.Get("max_packet_size").AsInt32();
        set => Peer.Set("max_packet_size", value);
    }

    public long MaxPacketsPerSecond
    {
        get => Peer.Get("max_packets_per_second").AsInt64();
        set => Peer.Set("max_packets_per_second", value);
    }

    /// <summary>In ms, with Threaded; 0 is no limit.</summary>
    public long MaxStallMsec
    {
        get => Peer.Get("max_stall_msec").AsInt64();
        set => Peer.Set("max_stall_msec", value);
    }

    /// <summary>0, the default, is no limit.</summary>
    /// <summary>An object with methods of ENetConnection, or null when no connection is open.</summary>
    public GodotObject? Host => Peer.Get("host").AsGodotObject();

    /// <summary>In milliseconds; 0 is ENet's own.</summary>
    public long ConnectTimeoutMsec
    {
        get => Peer.Get("connect_timeout_msec").AsInt64();
        set => Peer.Set("connect_timeout_msec", value);
    }

    public int MaxConnectionsPerAddress
    {
        get => Peer.Get("max_connections_per_address").AsInt32();
        set => Peer.Set("max_connections_per_address", value);
    }

    public int Mtu
    {
        get => Peer.Get("mtu").AsInt32();
        set => Peer.Set("mtu", value);
    }

    /// <summary>Among the monitors of Performance, as <c>ENet/peers</c>.</summary>
    public bool PerformanceMonitors
    {
        get => Peer.Get("performance_monitors").AsBool();
        set => Peer.Set("performance_monitors", value);
    }

    /// <summary>What a server says to an <see cref="ENetServerBrowser"/>. Assign a dictionary anew to change it.</summary>
    public Godot.Collections.Dictionary QueryInfo
    {
        get => Peer.Get("query_info").AsGodotDictionary();
        set => Peer.Set("query_info", value);
    }

    public AddressProofEnum RequireAddressProof
    {
        get => (AddressProofEnum)Peer.Get("require_address_proof").AsInt64();
        set => Peer.Set("require_address_proof", (long)value);
    }

    public bool RequireDatagramTags
    {
        get => Peer.Get("require_datagram_tags").AsBool();
        set => Peer.Set("require_datagram_tags", value);
    }

    /// <summary>A thread of its own for the network. Set it before a connection is opened.</summary>
    public bool Threaded
    {
        get => Peer.Get("threaded").AsBool();
        set => Peer.Set("threaded", value);
    }

    public bool ServerRelay
    {
        get => Peer.Get("server_relay").AsBool();
        set => Peer.Set("server_relay", value);
    }

    /// <summary>-1, the default, is a channel for each transfer mode. Not that of <c>Peer</c>, which belongs to
    /// SceneMultiplayer.</summary>
    public int TransferChannel
    {
        get => Peer.Get("transfer_channel").AsInt32();
        set => Peer.Set("transfer_channel", value);
    }

    public bool UseDtls
    {
        get => Peer.Get("use_dtls").AsBool();
        set => Peer.Set("use_dtls", value);
    }

    public Error CreateServer(int port, int maxClients = 32, long inBandwidth = 0, long outBandwidth = 0)
        => (Error)Peer.Call("create_server", port, maxClients, inBandwidth, outBandwidth).AsInt64();

    public Error CreateClient(
        string address, int port, long inBandwidth = 0, long outBandwidth = 0, int clientPort = 0)
        => (Error)Peer.Call("create_client", address, port, inBandwidth, outBandwidth, clientPort).AsInt64();

    /// <summary>An address, or a range such as <c>192.168.0.0/16</c>.</summary>
    public Error AllowAddress(string range) => (Error)Peer.Call("allow_address", range).AsInt64();

    /// <summary>An address, or a range such as <c>192.168.0.0/16</c>.</summary>
    public Error DenyAddress(string range) => (Error)Peer.Call("deny_address", range).AsInt64();

    public Error RemoveAddressRule(string range) => (Error)Peer.Call("remove_address_rule", range).AsInt64();

    public void CloseConnection(long waitUsec = 100) => Peer.Call("close_connection", waitUsec);

    public void DisconnectPeer(int id, bool now = false) => Peer.Call("disconnect_peer", id, now);

    /// <summary>The client gets the code and the text first.</summary>
    public Error KickPeer(int id, int code = 0, string text = "")
        => (Error)Peer.Call("kick_peer", id, code, text).AsInt64();

    public int GetKickCode() => Peer.Call("get_kick_code").AsInt32();

    public string GetKickText() => Peer.Call("get_kick_text").AsString();

    /// <summary>For a handler of <c>PeerDisconnected</c>.</summary>
    public DisconnectReasonEnum GetPeerDisconnectReason()
        => (DisconnectReasonEnum)Peer.Call("get_peer_disconnect_reason").AsInt64();

    /// <summary>An object with the methods of ENetPacketPeer, or null.</summary>
    public GodotObject? GetPeer(int id) => Peer.Call("get_peer", id).AsGodotObject();

    public int[] GetPeers() => Peer.Call("get_peers").AsInt32Array();

    /// <summary>docs/statistics.md lists the keys.</summary>
    public Godot.Collections.Dictionary GetPeerStatistics(int id)
        => Peer.Call("get_peer_statistics", id).AsGodotDictionary();

    /// <summary>docs/statistics.md lists the keys.</summary>
    public Godot.Collections.Dictionary GetStatistics() => Peer.Call("get_statistics").AsGodotDictionary();

    public void SetDefaultPeerTimeout(long timeoutLimit, long timeoutMin, long timeoutMax)
        => Peer.Call("set_default_peer_timeout", timeoutLimit, timeoutMin, timeoutMax);

    public void Flush() => Peer.Call("flush");

    public int GetLastPacketChannel() => Peer.Call("get_last_packet_channel").AsInt32();

    public int GetLocalPort() => Peer.Call("get_local_port").AsInt32();

    public int GetPacketChannel() => Peer.Call("get_packet_channel").AsInt32();

    public string GetPeerAddress(int id) => Peer.Call("get_peer_address", id).AsString();

    public int GetPeerPort(int id) => Peer.Call("get_peer_port", id).AsInt32();

    /// <summary>Bytes of UDP payload since the connection was created.</summary>
    public long GetReceivedBytes() => Peer.Call("get_received_bytes").AsInt64();

    /// <summary>Bytes of UDP payload since the connection was created.</summary>
    public long GetSentBytes() => Peer.Call("get_sent_bytes").AsInt64();

    public void SetBindIp(string ip) => Peer.Call("set_bind_ip", ip);

    public void SetDtlsCertificate(X509Certificate certificate) => Peer.Call("set_dtls_certificate", certificate);

    public void SetDtlsKey(CryptoKey key) => Peer.Call("set_dtls_key", key);

    public void SetPeerTimeout(int id, long timeoutLimit, long timeoutMin, long timeoutMax)
        => Peer.Call("set_peer_timeout", id, timeoutLimit, timeoutMin, timeoutMax);

    public void SetPeerThrottle(int id, long intervalMsec, long acceleration, long deceleration)
        => Peer.Call("set_peer_throttle", id, intervalMsec, acceleration, deceleration);

    /// <summary>The name of a preset or a <c>Godot.Collections.Dictionary</c>; see docs/simulator.md.</summary>
    public Error Simulate(Variant settings, int id = 0) => (Error)Peer.Call("simulate", settings, id).AsInt64();

    public Godot.Collections.Dictionary GetSimulation(int id = 0)
        => Peer.Call("get_simulation", id).AsGodotDictionary();

    public ConnectionErrorEnum GetConnectionError()
        => (ConnectionErrorEnum)Peer.Call("get_connection_error").AsInt64();

    public string GetConnectionErrorText() => Peer.Call("get_connection_error_text").AsString();
}
