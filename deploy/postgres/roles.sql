-- Run once by a superuser, with psql -v password=…: the login of the program, which is no superuser and makes no roles, and its database.
-- It owns the database, since it applies migrations, and is a member of the four roles; each of its sessions takes on the one that it needs.
create role qingling_owner nologin;
create role qingling_writer nologin;
create role qingling_projector nologin;
create role qingling_reader nologin;
create role qingling login password :'password';
grant qingling_owner, qingling_writer, qingling_projector, qingling_reader to qingling;
create database qingling owner qingling;
revoke connect on database qingling from public;
