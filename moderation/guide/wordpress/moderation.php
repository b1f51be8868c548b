<?php
/*
Plugin Name: Moderation
Description: Lets the Akismet plugin ask your own moderation service. While the service is away, comments wait for a moderator, and reports are sent later.
License: MIT

Put this file into wp-content/mu-plugins/, and into wp-config.php, with your address and key:
    define( 'MODERATION_URL', 'http://127.0.0.1:8000' );
    define( 'WPCOM_API_KEY', 'the 12 characters of your key' );
*/

defined( 'ABSPATH' ) || exit;
defined( 'MODERATION_URL' ) || define( 'MODERATION_URL', 'http://127.0.0.1:8000' );

add_filter( 'pre_http_request', 'moderation_ask', 10, 3 );
add_action( 'moderation_report', 'moderation_report' );
add_action( 'transition_comment_status', 'moderation_approved', 10, 3 );
add_action( 'admin_init', 'moderation_no_frames' );

/** Sends what is meant for Akismet to the service. Every failure has an answer: without one,
 *  Akismet would ask three times, 15 seconds each, and newer versions would then publish. */
function moderation_ask( $answer, $args, $url ) {
	// Akismet also asks addresses, with its name in the header.
	$host = ( (array) $args['headers'] )['Host'] ?? wp_parse_url( $url, PHP_URL_HOST );
	if ( ! preg_match( '/(^|\.)rest\.akismet\.com$/i', (string) $host ) ) {
		return $answer;
	}
	$path = wp_parse_url( $url, PHP_URL_PATH );
	unset( $args['headers']['Host'] ); // it names Akismet
	$args['timeout'] = 5;
	$answer          = wp_remote_request( untrailingslashit( MODERATION_URL ) . $path, $args );
	if ( ! is_wp_error( $answer ) && 200 === wp_remote_retrieve_response_code( $answer ) ) {
		return $answer;
	}
	if ( preg_match( '#/submit-(spam|ham)$#', $path ) ) {
		wp_schedule_single_event( time() + 600, 'moderation_report', array( compact( 'url', 'args' ) ) );
	}
	// Neither "true" nor "false": the comment waits, and Akismet asks again every 20 minutes.
	return array(
		'headers'  => array( 'x-akismet-guid' => wp_generate_uuid4() ),
		'body'     => 'failed',
		'response' => array( 'code' => 200, 'message' => 'OK' ),
		'cookies'  => array(),
		'filename' => null,
	);
}

/** Sends a moderator's word again; if it fails again, it is put off again. */
function moderation_report( $report ) {
	wp_remote_request( $report['url'], $report['args'] );
}

/** Akismet reports what moderators take out of the spam folder, but not what they approve of
 *  the comments that were held for them. */
function moderation_approved( $new_status, $old_status, $comment ) {
	if ( 'approved' === $new_status && 'unapproved' === $old_status
		&& current_user_can( 'moderate_comments' )
		&& 'true' === get_comment_meta( $comment->comment_ID, 'akismet_result', true )
		&& ! get_comment_meta( $comment->comment_ID, 'akismet_rechecking', true )
		&& is_callable( array( 'Akismet', 'submit_nonspam_comment' ) ) ) {
		Akismet::submit_nonspam_comment( $comment->comment_ID );
	}
}

/** Akismet's settings page has a frame that would send your address and key to akismet.com. */
function moderation_no_frames() {
	if ( 'akismet-key-config' === ( $_GET['page'] ?? '' ) ) {
		header( "Content-Security-Policy: frame-src 'self'" );
	}
}
