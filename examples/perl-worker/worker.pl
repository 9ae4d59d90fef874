#!/usr/bin/env perl
# A whole Arco worker in Perl: core modules only, no SDK. It defines one asset, takes its tasks one
# at a time and reports what it made. The protocol is docs/guide/worker-protocol.md.
#
#   perl worker.pl http://127.0.0.1:3000 [TASKS]      # ends after TASKS tasks; without it, never
use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP;
use Sys::Hostname;

my ($server, $tasks) = @ARGV;
die "usage: worker.pl SERVER [TASKS]\n" unless $server;
my $api  = "$server/api/v1/workspaces/default/worker/hosts";
my $json = JSON::PP->new->utf8->canonical;
my $http = HTTP::Tiny->new(timeout => 40);

# An id is 26 characters of Crockford's base 32; the first one is 0 to 7.
my @alphabet = split //, '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
my $host = 'host_0' . join '', map { $alphabet[rand 32] } 1 .. 25;

my $manifest = {
    format   => 1,
    location => 'perl',
    sdk      => { name => 'worker.pl', version => '1', language => "perl $]" },
    assets   => [ { key => 'greeting', step => 'greeting', kinds => ['perl'] } ],
    steps    => [ { name => 'greeting', kind => 'asset', outputs => ['greeting'] } ],
};

sub call {
    my ($path, $body) = @_;
    my $answer = $http->post("$api$path", {
        headers => { 'content-type' => 'application/json' },
        content => $json->encode($body),
    });
    my $content = $answer->{content};
    die "$path: $answer->{status} $content\n" unless $answer->{success};
    return length $content ? $json->decode($content) : {};
}

call('', {
    host => $host, location => 'perl', manifest => $manifest,
    pid => $$ + 0, hostname => hostname(), slots => 1, attempts => [],
});

my $seq = 0;
my (@reports, @live);
while (1) {
    my $work = call("/$host/exchange", {
        seq => ++$seq, reports => [@reports], live => [@live],
        want => 1, wait_ms => 2000,
    });
    @reports = @live = ();
    last if defined $tasks && $tasks <= 0;
    for my $lease (@{ $work->{leases} }) {
        my $attempt = $lease->{attempt};
        my $text    = "hello from perl, task $lease->{task} of $lease->{run}";
        print "$text\n";
        push @live, $attempt;
        push @reports,
            { attempt => $attempt, fact => 'started' },
            { attempt => $attempt, fact => 'materialized', asset => 'greeting',
              metadata => { text => { type => 'text', value => $text } } },
            { attempt => $attempt, fact => 'finished', outcome => { status => 'succeeded' } };
        $tasks-- if defined $tasks;
    }
}
call("/$host/leave", {});
