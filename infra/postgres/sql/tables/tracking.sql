-- How far the eventsourcing library's process applications have read each upstream log.
create table qingling.tracking (
    application text collate "C" not null,
    notification_id bigint not null,
    constraint tracking_pkey primary key (application)
);
