//! Who may call a method or set a property, and who runs it.

/// The mode of a method or property in Godot 3.6.
///
/// Each receiver asks its own configuration, so a sender's mode says only whether the sender runs the call itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum RpcMode {
    /// Nobody may.
    #[default]
    Disabled = 0,
    /// Every peer may.
    Remote = 1,
    /// Every peer may; the node's master runs it.
    Master = 2,
    /// The node's master may; the others run it.
    Puppet = 3,
    /// As [`RpcMode::Remote`], and the sender runs it, too.
    RemoteSync = 4,
    /// As [`RpcMode::Master`], and the sender runs it, too.
    MasterSync = 5,
    /// As [`RpcMode::Puppet`], and the sender runs it, too.
    PuppetSync = 6,
}

impl RpcMode {
    /// Every mode, in the order of the numbers.
    pub const ALL: [Self; 7] = [
        Self::Disabled,
        Self::Remote,
        Self::Master,
        Self::Puppet,
        Self::RemoteSync,
        Self::MasterSync,
        Self::PuppetSync,
    ];

    /// The mode with a number of 3.6's `MultiplayerAPI.RPCMode`.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// The number in 3.6's `MultiplayerAPI.RPCMode`.
    #[must_use]
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The mode that a keyword of 3.6's GDScript names, or `disabled`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "slave" => Some(Self::Puppet),
            "sync" => Some(Self::RemoteSync),
            _ => Self::ALL.into_iter().find(|mode| mode.name() == name),
        }
    }

    /// The keyword of 3.6's GDScript, or `disabled`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Remote => "remote",
            Self::Master => "master",
            Self::Puppet => "puppet",
            Self::RemoteSync => "remotesync",
            Self::MasterSync => "mastersync",
            Self::PuppetSync => "puppetsync",
        }
    }

    /// Whether a receiver with this mode takes a call or set: `receiver_is_master` and `sender_is_master` say which of
    /// the two peers is the node's master.
    #[must_use]
    pub const fn accepts(self, receiver_is_master: bool, sender_is_master: bool) -> bool {
        match self {
            Self::Disabled => false,
            Self::Remote | Self::RemoteSync => true,
            Self::Master | Self::MasterSync => receiver_is_master,
            Self::Puppet | Self::PuppetSync => !receiver_is_master && sender_is_master,
        }
    }

    /// Whether the sender runs the call itself, where the target includes it: 0, its own id, or -n with another n.
    #[must_use]
    pub const fn runs_locally(self, sender_is_master: bool) -> bool {
        match self {
            Self::Disabled | Self::Remote => false,
            Self::RemoteSync | Self::MasterSync | Self::PuppetSync => true,
            Self::Master => sender_is_master,
            Self::Puppet => !sender_is_master,
        }
    }

    /// Whether the call goes to the other peers, where the target includes the sender: not what only the master runs,
    /// if the sender is the master. To one other peer, every call goes.
    #[must_use]
    pub const fn is_sent(self, sender_is_master: bool) -> bool {
        !(sender_is_master && matches!(self, Self::Master | Self::MasterSync))
    }
}
