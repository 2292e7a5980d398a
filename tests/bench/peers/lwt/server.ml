(* Lwt, with Lwt_unix for bytes and Lwt_io for lines.  server PORT MODE *)
open Lwt.Infix

let number name otherwise = try int_of_string (Sys.getenv name) with Not_found -> otherwise
let read_size = number "READ_SIZE" (16 * 1024)
let bulk_bytes = number "BULK_BYTES" (1 lsl 30)

let rec write_all fd bytes from length =
  if length = 0 then Lwt.return_unit
  else Lwt_unix.write fd bytes from length >>= fun n -> write_all fd bytes (from + n) (length - n)

let echo fd =
  let buffer = Bytes.create read_size in
  let rec loop () =
    Lwt_unix.read fd buffer 0 read_size >>= function
    | 0 -> Lwt.return_unit
    | n -> write_all fd buffer 0 n >>= loop
  in
  loop ()

(* Lwt_io writes what is in its buffer when the program has nothing else to do. *)
let lines fd =
  let close () = Lwt.return_unit in
  let input = Lwt_io.of_fd ~mode:Lwt_io.input ~close fd in
  let output = Lwt_io.of_fd ~mode:Lwt_io.output ~close fd in
  let rec loop () =
    Lwt_io.read_line_opt input >>= function
    | None -> Lwt.return_unit
    | Some line -> Lwt_io.write_line output line >>= loop
  in
  loop ()

let send fd =
  let block = Bytes.make (64 * 1024) 'x' in
  let rec loop left =
    if left = 0 then Lwt.return_unit
    else
      let n = min left (Bytes.length block) in
      write_all fd block 0 n >>= fun () -> loop (left - n)
  in
  loop bulk_bytes

let receive fd =
  let buffer = Bytes.create (64 * 1024) in
  let rec loop received =
    Lwt_unix.read fd buffer 0 (Bytes.length buffer) >>= function
    | 0 -> Lwt.return received
    | n -> loop (received + n)
  in
  loop 0

let receive_and_answer fd =
  receive fd >>= fun received ->
  let answer = Bytes.of_string (string_of_int received ^ "\n") in
  write_all fd answer 0 (Bytes.length answer)

let both fd =
  let received = receive fd in
  send fd >>= fun () -> received >>= fun _ -> Lwt.return_unit

let serve =
  match Sys.argv.(2) with
  | "echo" -> echo
  | "line" -> lines
  | "send" -> send
  | "receive" -> receive_and_answer
  | _ -> both

let run fd =
  let ignore_errors f = Lwt.catch f (fun _ -> Lwt.return_unit) in
  ignore_errors (fun () -> serve fd) >>= fun () -> ignore_errors (fun () -> Lwt_unix.close fd)

let rec accept listener =
  Lwt_unix.accept listener >>= fun (fd, _) ->
  Lwt_unix.setsockopt fd Unix.TCP_NODELAY true;
  Lwt.async (fun () -> run fd);
  accept listener

let () =
  Sys.set_signal Sys.sigpipe Sys.Signal_ignore;
  let listener = Lwt_unix.socket Unix.PF_INET Unix.SOCK_STREAM 0 in
  Lwt_unix.setsockopt listener Unix.SO_REUSEADDR true;
  let address = Unix.ADDR_INET (Unix.inet_addr_loopback, int_of_string Sys.argv.(1)) in
  Lwt_main.run
    ( Lwt_unix.bind listener address >>= fun () ->
      Lwt_unix.listen listener 4096;
      accept listener )
