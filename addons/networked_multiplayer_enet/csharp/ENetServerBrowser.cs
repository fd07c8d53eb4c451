// Typed access to the class ENetServerBrowser for C#, which sees classes of extensions only by their names.
// docs/find_a_server.md tells how to use it; the editor's help (F1) describes every member.

#nullable enable

using System;
using Godot;

/// <summary>Finds servers: asks those whose address is known, and searches the local network.</summary>
public sealed class ENetServerBrowser
{
    private const string ClassName = "ENetServerBrowser";

    /// <summary>Makes a browser. Throws when the addon is not loaded.</summary>
    public ENetServerBrowser()
    {
        Browser = ClassDB.Instantiate(ClassName).As<RefCounted>()
            ?? throw new InvalidOperationException($"There is no {ClassName}; is the addon in the project?");
    }

    /// <summary>The browser itself.</summary>
    public RefCounted Browser { get; }

    /// <summary>Gets what a server has answered, with the keys that the help names.</summary>
    public event Action<Godot.Collections.Dictionary> ServerFound
    {
        add => Browser.Connect("server_found", Callable.From(value));
        remove => Browser.Disconnect("server_found", Callable.From(value));
    }

    /// <summary>Gets the address and the port that were asked in vain.</summary>
    public event Action<string, int> QueryFailed
    {
        add => Browser.Connect("query_failed", Callable.From(value));
        remove => Browser.Disconnect("query_failed", Callable.From(value));
    }

    public event Action SearchFinished
    {
        add => Browser.Connect("search_finished", Callable.From(value));
        remove => Browser.Disconnect("search_finished", Callable.From(value));
    }

    public Error QueryServer(string address, int port, int timeoutMsec = 3000)
        => (Error)Browser.Call("query_server", address, port, timeoutMsec).AsInt64();

    public Error DiscoverServers(int port, int timeoutMsec = 1000)
        => (Error)Browser.Call("discover_servers", port, timeoutMsec).AsInt64();

    /// <summary>Only without a SceneTree; otherwise it works by itself.</summary>
    public void Poll() => Browser.Call("poll");

    public void Stop() => Browser.Call("stop");

    public bool IsSearching() => Browser.Call("is_searching").AsBool();
}
