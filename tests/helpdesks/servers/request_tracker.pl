# Seeds Request Tracker, and prints the tokens of its accounts as JSON.
use strict;
use warnings;
use RT -init;
use JSON;

sub must { my ($made, @said) = @_; die "@said" unless $made; return $made; }

for my $name ('Support', 'Network', 'Elsewhere') {
    my $queue = RT::Queue->new(RT->SystemUser);
    must($queue->Create(Name => $name));
}

my $field = RT::CustomField->new(RT->SystemUser);
must($field->Create(Name => 'PortalKey', Type => 'FreeformSingle', LookupType => 'RT::Queue-RT::Ticket', UniqueValues => 1));
must($field->AddToObject(RT::Queue->new(RT->SystemUser)));

my @reads = qw(SeeQueue ShowTicket ShowTicketComments);
my @writes = qw(CreateTicket CommentOnTicket ModifyTicket);
my %rights = (
    portal    => [@reads, @writes, qw(SeeCustomField ModifyCustomField)],
    anna      => [@reads, @writes, qw(ReplyToTicket OwnTicket DeleteTicket SeeCustomField ModifyCustomField)],
    blind     => [@reads, @writes],
    reader    => [@reads, qw(CreateTicket SeeCustomField ModifyCustomField)],
    deaf      => [qw(SeeQueue ShowTicket), @writes, qw(SeeCustomField ModifyCustomField)],
    powerless => [],
);
# Who may see outgoing mail finds lines of RT_System's in tickets: requestors are answered.
my $privileged = RT::Group->new(RT->SystemUser);
$privileged->LoadSystemInternalGroup('Privileged');
must($privileged->PrincipalObj->GrantRight(Right => 'ShowOutgoingEmail', Object => $RT::System));
my $scrip = RT::Scrip->new(RT->SystemUser);
$scrip->LoadByCols(Description => 'On Create Autoreply To Requestors');
must($scrip->Id && !$scrip->Disabled, 'Requestors are not answered');

my %tokens;
for my $name (sort keys %rights) {
    my $user = RT::User->new(RT->SystemUser);
    must($user->Create(Name => $name, EmailAddress => "$name\@desk.example", Privileged => 1));
    for my $queue_name ('Support', 'Network') {
        my $queue = RT::Queue->new(RT->SystemUser);
        $queue->Load($queue_name);
        must($user->PrincipalObj->GrantRight(Right => $_, Object => $queue)) for @{ $rights{$name} };
    }
    my $token = RT::AuthToken->new(RT->SystemUser);
    my ($made, $said, $text) = $token->Create(Owner => $user->Id, Description => 'portal');
    must($made, $said);
    $tokens{$name} = $text;
}
for my $number (1 .. 3) {
    my $user = RT::User->new(RT->SystemUser);
    must($user->Create(Name => "customer$number\@acme.example", EmailAddress => "customer$number\@acme.example", RealName => "Customer $number"));
}
print encode_json(\%tokens), "\n";
