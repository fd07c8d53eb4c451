// Typed access to the class Godot3Multiplayer for C#, which sees classes of extensions only by their names.
// docs/porting_client_by_client.md tells how to use it; the editor's help (F1) describes every member.

#nullable enable

using System;
using Godot;

/// <summary>RPCs with games of Godot 3.6. Give <c>Api</c> to <c>GetTree().SetMultiplayer</c>.</summary>
public sealed class Godot3Multiplayer
{
    /// <summary>Who may call a method or set a property, in the words of Godot 3.6.</summary>
    public enum RpcModeEnum : long
    {
        Disabled = 0,
        Remote = 1, // RPC_MODE_REMOTE
        Master = 2, // RPC_MODE_MASTER
        Puppet = 3, // RPC_MODE_PUPPET
        RemoteSync = 4, // RPC_MODE_REMOTESYNC
        MasterSync = 5, // RPC_MODE_MASTERSYNC
        PuppetSync = 6, // RPC_MODE_PUPPETSYNC
    }

    /// <summary>What a peer speaks.</summary>
    public enum DialectEnum : long
    {
        Detect = 0, // DIALECT_DETECT
        Godot3 = 1, // DIALECT_GODOT_3
        Godot4 = 2, // DIALECT_GODOT_4
    }

    private const string ClassName = "Godot3Multiplayer";

    /// <summary>Makes a new one. Throws when the addon is not loaded.</summary>
    public Godot3Multiplayer()
        : this(ClassDB.Instantiate(ClassName).As<MultiplayerApi>())
    {
    }

    /// <summary>Wraps one that is there, such as a node's <c>Multiplayer</c>.</summary>
    public Godot3Multiplayer(MultiplayerApi? api)
    {
        if (api == null || !api.IsClass(ClassName))
        {
            throw new ArgumentException($"This is no {ClassName}; is the addon in the project?", nameof(api));
        }
        Api = api;
    }

    /// <summary>The API itself: everything of MultiplayerApi is here.</summary>
    public MultiplayerApi Api { get; }

    /// <summary>Gets the sender's id and the bytes of its <c>send_bytes</c>.</summary>
    public event Action<long, byte[]> PeerPacket
    {
        add => Api.Connect("peer_packet", Callable.From(value));
        remove => Api.Disconnect("peer_packet", Callable.From(value));
    }

    /// <summary>Where the paths on the wire begin.</summary>
    public NodePath RootPath
    {
        get => Api.Get("root_path").AsNodePath();
        set => Api.Set("root_path", value);
    }

    public bool AllowObjectDecoding
    {
        get => Api.Get("allow_object_decoding").AsBool();
        set => Api.Set("allow_object_decoding", value);
    }

    public bool RefuseNewConnections
    {
        get => Api.Get("refuse_new_connections").AsBool();
        set => Api.Set("refuse_new_connections", value);
    }

    /// <summary>What those speak who connect from now on.</summary>
    public DialectEnum DefaultPeerDialect
    {
        get => (DialectEnum)Api.Get("default_peer_dialect").AsInt64();
        set => Api.Set("default_peer_dialect", (long)value);
    }

    /// <summary>Sets a property of the other games' nodes; 0 is everybody.</summary>
    public Error Rset(Node node, StringName property, Variant value, int id = 0)
        => (Error)Api.Call("rset", node, property, value, id).AsInt64();

    public Error RsetUnreliable(Node node, StringName property, Variant value, int id = 0)
        => (Error)Api.Call("rset_unreliable", node, property, value, id).AsInt64();

    /// <summary>Who may set a property, of one node or of all with a script.</summary>
    public void RsetConfig(GodotObject nodeOrScript, StringName property, RpcModeEnum mode)
        => Api.Call("rset_config", nodeOrScript, property, (long)mode);

    /// <summary>Who may call a method, of one node or of all with a script.</summary>
    public void RpcConfig(
        GodotObject nodeOrScript, StringName method, RpcModeEnum mode,
        MultiplayerPeer.TransferModeEnum transferMode = MultiplayerPeer.TransferModeEnum.Reliable, int channel = 0)
        => Api.Call("rpc_config", nodeOrScript, method, (long)mode, (long)transferMode, channel);

    public Error SendBytes(
        byte[] bytes, int id = 0, MultiplayerPeer.TransferModeEnum mode = MultiplayerPeer.TransferModeEnum.Reliable,
        int channel = 0)
        => (Error)Api.Call("send_bytes", bytes, id, (long)mode, channel).AsInt64();

    public void DisconnectPeer(int id) => Api.Call("disconnect_peer", id);

    public void Clear() => Api.Call("clear");

    public Error SetPeerDialect(int id, DialectEnum dialect)
        => (Error)Api.Call("set_peer_dialect", id, (long)dialect).AsInt64();

    public DialectEnum GetPeerDialect(int id) => (DialectEnum)Api.Call("get_peer_dialect", id).AsInt64();

    /// <summary>What the old game has under one path, and this one under another.</summary>
    public void MapPath(string wirePath, string treePath) => Api.Call("map_path", wirePath, treePath);

    public void MapMethod(StringName wireName, StringName method) => Api.Call("map_method", wireName, method);

    public void MapProperty(StringName wireName, StringName property) => Api.Call("map_property", wireName, property);

    /// <summary>The bytes that <c>var2bytes</c> of Godot 3.6 makes of a value.</summary>
    public byte[] VariantToBytes(Variant value, bool fullObjects = false)
        => Api.Call("variant_to_bytes", value, fullObjects).AsByteArray();

    public Variant BytesToVariant(byte[] bytes, bool allowObjects = false)
        => Api.Call("bytes_to_variant", bytes, allowObjects);
}
