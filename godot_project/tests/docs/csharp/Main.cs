#nullable enable

using System;
using Godot;

// Connects two peers of the wrapper, and sends a packet each way.
public partial class Main : Node
{
    private readonly NetworkedMultiplayerENet _server = new();
    private readonly NetworkedMultiplayerENet _client = new();
    private bool _succeeded;
    private ulong _limit;

    public override void _Ready()
    {
        _limit = Time.GetTicksMsec() + 20000;
        _client.ConnectionSucceeded += () => _succeeded = true;
        var port = 12000 + (int)(GD.Randi() % 20000);
        Expect(_server.CreateServer(port, 4) == Error.Ok, "a server");
        Expect(_client.CreateClient("127.0.0.1", port) == Error.Ok, "a client");
        Expect(_client.CompressionMode == NetworkedMultiplayerENet.CompressionModeEnum.RangeCoder, "compression");
        Expect(_client.TransferChannel == -1, "transfer_channel");
    }

    public override void _Process(double delta)
    {
        Expect(Time.GetTicksMsec() < _limit, "an end in time");
        _server.Peer.Poll();
        _client.Peer.Poll();
        if (_succeeded)
        {
            _succeeded = false;
            _client.Peer.SetTargetPeer(1);
            _client.Peer.PutPacket("hello".ToUtf8Buffer());
        }
        if (_server.Peer.GetAvailablePacketCount() == 0)
        {
            return;
        }
        Expect(_server.GetPacketChannel() == 1, "the channel");
        var id = _server.Peer.GetPacketPeer();
        Expect(_server.Peer.GetPacket().GetStringFromUtf8() == "hello", "the packet");
        Expect(_server.GetPeerAddress(id) == "127.0.0.1", "the address");
        Expect(_client.GetConnectionError() == NetworkedMultiplayerENet.ConnectionErrorEnum.None, "no error");
        GD.Print("csharp: both are connected");
        GetTree().Quit();
    }

    private void Expect(bool condition, string what)
    {
        if (!condition)
        {
            GD.PrintErr($"csharp: wrong: {what}");
            GetTree().Quit(1);
            throw new InvalidOperationException(what);
        }
    }
}
